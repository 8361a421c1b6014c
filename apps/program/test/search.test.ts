import { describe, expect, it } from "vitest";
import { createIndexBuilder } from "../src/search/inverted-index.ts";
import { createRanking } from "../src/search/ranking.ts";
import { stem } from "../src/search/stem.ts";
import { termsOf } from "../src/search/tokenizer.ts";

describe("the terms of a text", () => {
  it("are the same for all forms of a word, without accents, case and stop words", () => {
    expect(termsOf("The dogs that herded SHEEP")).toEqual(termsOf("dog herding sheep"));
    expect(termsOf("café")).toEqual(termsOf("CAFE"));
    expect(termsOf("dog's")).toEqual(termsOf("dog"));
    expect(termsOf("the of and it's")).toEqual([]);
  });

  it.each([
    ["cities", "city"],
    ["boxes", "box"],
    ["running", "run"],
    ["moves", "mov"],
    ["children", "child"],
    ["sing", "sing"],
    ["bed", "bed"],
    ["glass", "glass"],
  ])("%s becomes %s", (word, expected) => {
    expect(stem(word)).toBe(expected);
  });
});

describe("the inverted index", () => {
  const build = (documents: string[][]) => {
    const builder = createIndexBuilder(2);
    for (const fields of documents) builder.add(fields.map(termsOf));
    return builder.build();
  };
  const fields = [
    { weight: 3, lengthPenalty: 0.5 },
    { weight: 1, lengthPenalty: 0.6 },
  ];

  it("has the places and the count of each term, and the length of each field", () => {
    const index = build([
      ["dog", "dog dog cat"],
      ["cat", "bird"],
      ["", "cat"],
    ]);
    const cat = index.postings("cat");
    expect([...(cat?.documents ?? [])]).toEqual([0, 1, 2]);
    expect(cat?.frequencies.map((each) => [...each])).toEqual([
      [0, 1, 0],
      [1, 0, 1],
    ]);
    expect([...(index.lengths[1] ?? [])]).toEqual([3, 1, 1]);
    expect(index.postings("fish")).toBeUndefined();
    expect(index.documentCount).toBe(3);
  });

  it("ranks the rarer term and the heavier field higher, and stops at the limit", () => {
    const documents = [
      ["river", "water"],
      ["pond", "water of a river"],
      ["sea", "water"],
      ["lake", "water"],
    ];
    const index = build(documents);
    const rank = createRanking(index, { fields, prominence: new Float32Array(documents.length).fill(1) });
    expect(rank(termsOf("river water"), 3).map(({ document }) => document)).toEqual([0, 1, 2]);
    expect(rank(termsOf("fish"), 3)).toEqual([]);
    expect(rank(termsOf("water"), 1)).toHaveLength(1);
    // One search has no effect on the next.
    expect(rank(termsOf("river water"), 3)).toEqual(rank(termsOf("river water"), 3));
  });
});
