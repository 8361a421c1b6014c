/** Fourth part: one concept with those around it, in a dialog; each of those opens in its place. */
export const memoryScript: string = `
const relationNames = {
  hypernym: "Is a kind of",
  hyponym: "Kinds of it",
  "instance of": "Is an instance of",
  instance: "Instances",
  part: "Its parts",
  "part of": "Is part of",
  member: "Its members",
  "member of": "Is a member of",
  substance: "Is made of",
  "substance of": "Is what is in",
  entails: "Entails",
  causes: "Causes",
  antonym: "Opposite",
  similar: "Similar",
  "see also": "See also",
  "verb group": "Close in meaning",
  attribute: "Attribute",
  "derived form": "Derived forms",
  "pertains to": "Pertains to",
  "participle of": "Participle of",
  topic: "Topic",
  "topic member": "In this topic",
  region: "Region",
  "region member": "In this region",
  usage: "Usage",
  "usage member": "Used this way",
};

const memoryDialog = byId("memory");
/** The ids of the memories that were opened one from the other, the one that is shown last. */
let trail = [];

const relationSection = ({ kind, total, concepts }) => {
  const count = total > concepts.length ? concepts.length + " of " + grouped(total) : grouped(total);
  const list = concepts.map(({ conceptId, lemmas, gloss }) => {
    const button = element("button", { type: "button", className: "related" });
    button.append(element("strong", { textContent: lemmas.join(", ") }), element("span", { textContent: gloss }));
    button.addEventListener("click", () => openMemory(conceptId));
    return element("li", {}, button);
  });
  const title = element("h3", {}, relationNames[kind] ?? kind, element("span", { className: "quiet", textContent: count }));
  return element("section", {}, title, element("ul", {}, ...list));
};

const showMemory = async (conceptId) => {
  byId("memory-back").disabled = trail.length < 2;
  try {
    const answer = await ask("/api/memories/" + encodeURIComponent(conceptId));
    if (trail.at(-1) !== conceptId) return;
    const { lemmas, gloss, partOfSpeech, relations } = answer.memory;
    byId("memory-answer").replaceChildren(...mark(answer));
    byId("memory-title").textContent = lemmas.join(", ");
    byId("memory-body").replaceChildren(
      element("p", { className: "quiet", textContent: partOfSpeech + " · " + conceptId }),
      element("p", { textContent: gloss }),
      ...relations.map(relationSection),
    );
    memoryDialog.scrollTop = 0;
    byId("memory-title").focus();
  } catch (error) {
    byId("memory-title").textContent = "Not to be had";
    byId("memory-body").replaceChildren(element("p", { textContent: error.message }));
  }
  void refreshStats();
};

const openMemory = (conceptId) => {
  trail.push(conceptId);
  if (!memoryDialog.open) memoryDialog.showModal();
  void showMemory(conceptId);
};

byId("memory-back").addEventListener("click", () => {
  trail.pop();
  void showMemory(trail.at(-1));
});
byId("memory-close").addEventListener("click", () => memoryDialog.close());
memoryDialog.addEventListener("click", (event) => {
  if (event.target === memoryDialog) memoryDialog.close();
});
memoryDialog.addEventListener("close", () => {
  trail = [];
});
`;
