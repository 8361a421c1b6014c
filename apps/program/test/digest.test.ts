import { describe, expect, it } from "vitest";
import { loadDigest } from "../src/index.ts";
import type { Concept } from "../src/wordnet/concept.ts";
import { digestOf } from "../src/wordnet/digest.ts";

const concept = (id: string, lemma: string, ...targets: readonly string[]): Concept => ({
  id,
  part: "n",
  lemmas: [lemma],
  gloss: `a ${lemma}`,
  relations: targets.map((target) => ({ kind: "hypernym", target })),
});
const concepts = [
  concept("n00000001", "dog", "n00000002", "n00000003"),
  concept("n00000002", "animal", "n00000001"),
  concept("n00000003", "thing"),
];

describe("a digest", () => {
  it("has the concepts with the most relations, and the relations between them", () => {
    const knowledge = loadDigest(digestOf(concepts, 2));
    expect(knowledge.conceptCount).toBe(2);
    expect(knowledge.search("dog", 5)).toMatchObject([{ conceptId: "n00000001", lemmas: ["dog"] }]);
    expect(knowledge.memory("n00000001")?.relations).toMatchObject([
      { kind: "hypernym", total: 1, concepts: [{ conceptId: "n00000002" }] },
    ]);
    expect(knowledge.memory("n00000003")).toBeUndefined();
  });

  it("rejects another text", () => {
    expect(() => loadDigest('["x1",[],"",[]]')).toThrow(/begin with a concept's id/);
    expect(() => loadDigest("WordNet")).toThrow(SyntaxError);
  });
});
