import type { Concept } from "./concept.ts";
import { nameOfPart } from "./part-of-speech.ts";
import type { RelationKind } from "./relation-kind.ts";

/** A concept that a search found. */
export interface SearchResult {
  readonly conceptId: string;
  /** "noun", "verb", "adjective" or "adverb". */
  readonly partOfSpeech: string;
  readonly lemmas: readonly string[];
  readonly gloss: string;
  /** Larger is better; comparable within one search only. */
  readonly score: number;
  /** How many relations it has of each kind that it has. */
  readonly relationCounts: Readonly<Partial<Record<RelationKind, number>>>;
}

export function searchResultOf(concept: Concept, score: number): SearchResult {
  const { id, part, lemmas, gloss, relations } = concept;
  const relationCounts: Partial<Record<RelationKind, number>> = {};
  for (const { kind } of relations) relationCounts[kind] = (relationCounts[kind] ?? 0) + 1;
  return {
    conceptId: id,
    partOfSpeech: nameOfPart(part),
    lemmas,
    gloss,
    score: Math.round(score * 1_000) / 1_000,
    relationCounts,
  };
}
