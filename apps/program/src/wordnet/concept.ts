import type { PartOfSpeech } from "./part-of-speech.ts";
import type { RelationKind } from "./relation-kind.ts";

/** One meaning, with all the words for it: what WordNet calls a synset. */
export interface Concept {
  /** Its part of speech and its place in WordNet's file: `"n02086723"`. */
  readonly id: string;
  readonly part: PartOfSpeech;
  /** The words and phrases for it, blanks between words. */
  readonly lemmas: readonly string[];
  /** The definition, with examples behind it. */
  readonly gloss: string;
  readonly relations: readonly Relation[];
}

/** How one concept stands to another. */
export interface Relation {
  readonly kind: RelationKind;
  /** The id of the other. */
  readonly target: string;
}

/** The place of a concept. */
export interface ConceptPlace {
  readonly part: PartOfSpeech;
  /** In bytes from the beginning of the file. */
  readonly offset: number;
}

export function conceptId({ part, offset }: ConceptPlace): string {
  return part + String(offset).padStart(8, "0");
}

/** The place that an id names, or `undefined` when the text is no id. Whether anything is there is another question. */
export function parseConceptId(text: string): ConceptPlace | undefined {
  if (!/^[nvar]\d{8}$/.test(text)) return undefined;
  return { part: text[0] as PartOfSpeech, offset: Number(text.slice(1)) };
}
