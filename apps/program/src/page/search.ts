import type { SearchAnswer } from "../api.ts";
import type { SearchResult } from "../wordnet/search-result.ts";
import { ask, messageOf } from "./ask.ts";
import { refreshStats } from "./dashboard.ts";
import { button, byId, element, mark } from "./elements.ts";
import { openMemory } from "./memory.ts";
import { remember } from "./past-searches.ts";

const input = byId("query", HTMLInputElement);
/** Counts searches: an answer that a later search has overtaken is not shown. */
let latest = 0;

/** Searches for the query in the page's address, where there is one. */
export async function searchFromAddress(): Promise<void> {
  const query = (new URLSearchParams(location.search).get("q") ?? "").trim();
  input.value = query;
  if (query !== "") await search(query);
}

/** Shows an error in the place of an answer. */
export function showFailure(error: unknown): void {
  byId("answer").replaceChildren(element("span", { className: "failed", textContent: messageOf(error) }));
}

async function search(query: string): Promise<void> {
  const number = ++latest;
  try {
    const answer = await ask<SearchAnswer>(`/api/search?q=${encodeURIComponent(query)}`);
    remember(answer);
    if (number !== latest) return;
    const textContent = `${found(answer.results.length)}, answered by ${answer.backend}`;
    byId("answer").replaceChildren(...mark(answer), element("span", { textContent }));
    byId("results").replaceChildren(...answer.results.map(resultItem));
  } catch (error) {
    if (number !== latest) return;
    showFailure(error);
    byId("results").replaceChildren();
  }
  void refreshStats();
}

function found(count: number): string {
  if (count === 0) return "No concept has these words";
  return count === 1 ? "1 concept" : `${count} concepts`;
}

function resultItem({ conceptId, partOfSpeech, lemmas, gloss, score, relationCounts }: SearchResult): HTMLElement {
  const relations = Object.values(relationCounts).reduce((sum, count) => sum + count, 0);
  const related = relations === 1 ? "1 relation" : `${relations} relations`;
  const card = button(
    "result",
    () => openMemory(conceptId),
    element("strong", { textContent: lemmas.join(", ") }),
    element("span", { textContent: gloss }),
    element("small", {
      className: "quiet",
      textContent: `${partOfSpeech} · score ${score.toFixed(1)} · ${related}`,
    }),
  );
  return element("li", {}, card);
}

/** Searches, and makes that the page's address. */
function start(text: string): void {
  const query = text.trim();
  if (query === "") return;
  input.value = query;
  const address = `?q=${encodeURIComponent(query)}`;
  if (location.search !== address) history.pushState(null, "", address);
  void search(query);
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  start(input.value);
});
for (const list of [byId("examples"), byId("history")]) {
  list.addEventListener("click", ({ target }) => {
    if (target instanceof HTMLButtonElement) start(target.textContent);
  });
}
addEventListener("popstate", searchFromAddress);
