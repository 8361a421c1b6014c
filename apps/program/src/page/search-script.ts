/** Last part: searches, their results, and the list of the last answers. */
export const searchScript: string = `
const input = byId("query");
const maxHistory = 20;
/** Counts searches: an answer that a later search has overtaken is not shown. */
let latestSearch = 0;

const resultItem = ({ conceptId, partOfSpeech, lemmas, gloss, score, relationCounts }) => {
  const relations = Object.values(relationCounts).reduce((sum, count) => sum + count, 0);
  const button = element("button", { type: "button", className: "result" });
  button.append(
    element("strong", { textContent: lemmas.join(", ") }),
    element("span", { textContent: gloss }),
    element("small", {
      className: "quiet",
      textContent:
        partOfSpeech + " · score " + score.toFixed(1) + " · " + (relations === 1 ? "1 relation" : relations + " relations"),
    }),
  );
  button.addEventListener("click", () => openMemory(conceptId));
  return element("li", {}, button);
};

/** Times of searches that are listed: one's own come back through the live events. */
const listed = new Set();

const remember = (search) => {
  if (listed.has(search.at)) return;
  listed.add(search.at);
  byId("no-history").hidden = true;
  const button = element("button", { type: "button", className: "link", textContent: search.query });
  button.addEventListener("click", () => start(search.query));
  const list = byId("history");
  list.prepend(element("li", {}, button, element("span", { className: "mark" }, ...mark(search))));
  while (list.children.length > maxHistory) list.lastElementChild.remove();
};

const search = async (text) => {
  const number = ++latestSearch;
  const status = byId("answer");
  try {
    const answer = await ask("/api/search?q=" + encodeURIComponent(text));
    remember(answer);
    if (number !== latestSearch) return;
    const count = answer.results.length;
    const found = count === 0 ? "No concept has these words" : count === 1 ? "1 concept" : count + " concepts";
    status.replaceChildren(...mark(answer), element("span", { textContent: found + ", answered by " + answer.backend }));
    byId("results").replaceChildren(...answer.results.map(resultItem));
  } catch (error) {
    if (number !== latestSearch) return;
    status.replaceChildren(element("span", { className: "failed", textContent: error.message }));
    byId("results").replaceChildren();
  }
  void refreshStats();
};

/** Searches, and makes that the page's address. */
const start = (text) => {
  const query = text.trim();
  if (query === "") return;
  input.value = query;
  const address = "?q=" + encodeURIComponent(query);
  if (location.search !== address) history.pushState(null, "", address);
  void search(query);
};

const searchFromAddress = () => {
  const query = (new URLSearchParams(location.search).get("q") ?? "").trim();
  input.value = query;
  if (query !== "") return search(query);
};

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  start(input.value);
});
for (const example of byId("examples").querySelectorAll("button")) {
  example.addEventListener("click", () => start(example.textContent));
}
addEventListener("popstate", searchFromAddress);

try {
  const { session, channel } = await ask("/api/session");
  for (const past of [...session.recent].reverse()) remember(past);
  startLive(channel);
} catch (error) {
  startLive();
  byId("answer").replaceChildren(element("span", { className: "failed", textContent: error.message }));
}
await searchFromAddress();
void poll();
`;
