import type { Concept, Relation } from "./concept.ts";
import type { PartOfSpeech } from "./part-of-speech.ts";
import { relationKindOf } from "./relation-kind.ts";

/**
 * Reads one line of a WordNet data file:
 *
 *     offset file type words(hex) {word id}… pointers {symbol offset part source/target}… [frames] | gloss
 *
 * @throws TypeError when the line is of another shape; it quotes the line's beginning.
 */
export function parseDataLine(line: string, part: PartOfSpeech): Concept {
  const bar = line.indexOf(" | ");
  const fields = line.slice(0, bar).split(" ");
  const wordCount = Number.parseInt(fields[3] ?? "", 16);
  const pointersAt = 4 + 2 * wordCount;
  const pointerCount = Number.parseInt(fields[pointersAt] ?? "", 10);
  const complete = fields.length > pointersAt + 4 * pointerCount;
  if (bar < 0 || !/^\d{8} /.test(line) || !complete) {
    throw new TypeError(`Expected a line of a WordNet data file, got ${JSON.stringify(line.slice(0, 60))}`);
  }
  const lemmas: string[] = [];
  for (let at = 4; at < pointersAt; at += 2) lemmas.push(lemmaOf(fields[at] as string));
  const relations: Relation[] = [];
  for (let at = pointersAt + 1; relations.length < pointerCount; at += 4) {
    relations.push({
      kind: relationKindOf(fields[at] as string),
      target: (fields[at + 2] as string) + (fields[at + 1] as string),
    });
  }
  return { id: part + (fields[0] as string), part, lemmas, gloss: line.slice(bar + 3).trimEnd(), relations };
}

/** `physical_entity` has a blank, and an adjective may end with where it may stand: `afloat(p)`. */
function lemmaOf(word: string): string {
  return word.replaceAll("_", " ").replace(/\((?:a|p|ip)\)$/, "");
}

/** A gloss is a definition, then sentences in quotation marks that show its use: `a small dog; "he has a puppy"`. */
export function splitGloss(gloss: string): { readonly definition: string; readonly examples: string } {
  const quote = gloss.indexOf('; "');
  return quote < 0
    ? { definition: gloss, examples: "" }
    : { definition: gloss.slice(0, quote), examples: gloss.slice(quote + 2) };
}
