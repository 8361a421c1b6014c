import type { MemoryAnswer } from "../api.ts";
import type { RelatedConcepts } from "../wordnet/memory.ts";
import type { RelationKind } from "../wordnet/relation-kind.ts";
import { ask, messageOf } from "./ask.ts";
import { refreshStats } from "./dashboard.ts";
import { button, byId, element, grouped, mark } from "./elements.ts";

const relationNames: Readonly<Record<RelationKind, string>> = {
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
  other: "Other",
};

const dialog = byId("memory", HTMLDialogElement);
const back = byId("memory-back", HTMLButtonElement);
/** The ids of the memories that were opened one from the other; the last one is shown. */
let trail: string[] = [];

/** Shows a concept and its relations in the dialog, in place of the one that is open. */
export function openMemory(conceptId: string): void {
  trail.push(conceptId);
  if (!dialog.open) dialog.showModal();
  void showMemory(conceptId);
}

async function showMemory(conceptId: string): Promise<void> {
  back.disabled = trail.length < 2;
  try {
    const answer = await ask<MemoryAnswer>(`/api/memories/${encodeURIComponent(conceptId)}`);
    // The visitor may have opened another one meanwhile.
    if (trail.at(-1) !== conceptId) return;
    const { lemmas, gloss, partOfSpeech, relations } = answer.memory;
    byId("memory-answer").replaceChildren(...mark(answer));
    byId("memory-title").textContent = lemmas.join(", ");
    byId("memory-body").replaceChildren(
      element("p", { className: "quiet", textContent: `${partOfSpeech} · ${conceptId}` }),
      element("p", { textContent: gloss }),
      ...relations.map(relationSection),
    );
    dialog.scrollTop = 0;
    byId("memory-title").focus();
  } catch (error) {
    byId("memory-title").textContent = "Not available";
    byId("memory-body").replaceChildren(element("p", { textContent: messageOf(error) }));
  }
  void refreshStats();
}

function relationSection({ kind, total, concepts }: RelatedConcepts): HTMLElement {
  const count = total > concepts.length ? `${concepts.length} of ${grouped(total)}` : grouped(total);
  const list = concepts.map(({ conceptId, lemmas, gloss }) => {
    const title = element("strong", { textContent: lemmas.join(", ") });
    const text = element("span", { textContent: gloss });
    return element(
      "li",
      {},
      button("related", () => openMemory(conceptId), title, text),
    );
  });
  const quiet = element("span", { className: "quiet", textContent: count });
  return element("section", {}, element("h3", {}, relationNames[kind], quiet), element("ul", {}, ...list));
}

back.addEventListener("click", () => {
  trail.pop();
  const conceptId = trail.at(-1);
  if (conceptId !== undefined) void showMemory(conceptId);
});
byId("memory-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", ({ target }) => {
  if (target === dialog) dialog.close();
});
dialog.addEventListener("close", () => {
  trail = [];
});
