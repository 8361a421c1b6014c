import { type Knowledge, loadKnowledge } from "@continuum-cache/program";
import { beforeAll, describe, expect, it } from "vitest";
import { installedWordNet } from "../src/installed-wordnet.ts";

describe("the whole of WordNet 3.1", () => {
  let knowledge: Knowledge;
  beforeAll(async () => {
    knowledge = await loadKnowledge(await installedWordNet());
  });

  it("has its 117,791 concepts", () => {
    expect(knowledge.conceptCount).toBe(117_791);
  });

  it.each([
    ["dog that herds sheep", "shepherd dog"],
    ["musical instrument with strings", "stringed instrument"],
    ["feeling of great happiness", "joy"],
    ["river", "river"],
  ])("finds for %j a concept called %j among the first ten", (query, lemma) => {
    expect(knowledge.search(query, 10).flatMap(({ lemmas }) => lemmas)).toContain(lemma);
  });

  it("has a concept with its relations", () => {
    const [best] = knowledge.search("shepherd dog", 1);
    const memory = knowledge.memory(best?.conceptId ?? "");
    expect(memory?.relations.length).toBeGreaterThan(0);
    expect(knowledge.memory("n99999999")).toBeUndefined();
    expect(knowledge.memory("nonsense")).toBeUndefined();
  });
});
