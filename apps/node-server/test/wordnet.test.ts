import { beforeAll, describe, expect, it } from "vitest";
import { parseDataLine } from "../src/wordnet/data-line.ts";
import { installedWordNet } from "../src/wordnet/installed-wordnet.ts";
import { type Knowledge, loadKnowledge } from "../src/wordnet/knowledge.ts";

describe("a line of WordNet", () => {
  it("becomes a concept", () => {
    const line = "00001930 03 n 01 physical_entity 0 002 @ 00001740 n 0000 ~ 00002452 n 0000 | an entity that exists  ";
    expect(parseDataLine(line, "n")).toMatchObject({
      id: "n00001930",
      lemmas: ["physical entity"],
      gloss: "an entity that exists",
      relations: [{ target: "n00001740" }, { target: "n00002452" }],
    });
  });

  it.each(["", "not a line", "00001930 03 n zz | x", "00001930 03 n 01 word 0 009 @ | cut"])(
    "is refused as %j",
    (line) => {
      expect(() => parseDataLine(line, "n")).toThrow(/Expected a line of a WordNet data file/);
    },
  );
});

describe("the whole of WordNet 3.1", () => {
  let knowledge: Knowledge;
  beforeAll(async () => {
    knowledge = await loadKnowledge(await installedWordNet());
  }, 60_000);

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

  it("tells a concept with those around it", () => {
    const [best] = knowledge.search("shepherd dog", 1);
    const memory = knowledge.memory(best?.conceptId ?? "");
    expect(memory?.relations.length).toBeGreaterThan(0);
    expect(knowledge.memory("n99999999")).toBeUndefined();
    expect(knowledge.memory("nonsense")).toBeUndefined();
  });
});
