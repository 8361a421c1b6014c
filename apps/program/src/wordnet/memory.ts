import type { Concept } from "./concept.ts";
import { nameOfPart } from "./part-of-speech.ts";
import type { RelationKind } from "./relation-kind.ts";

/** A concept with those around it. */
export interface Memory {
  readonly conceptId: string;
  readonly partOfSpeech: string;
  readonly lemmas: readonly string[];
  readonly gloss: string;
  readonly relations: readonly RelatedConcepts[];
}

/** The concepts that stand to a memory in one way. */
export interface RelatedConcepts {
  readonly kind: RelationKind;
  /** How many there are; `concepts` holds the first of them. */
  readonly total: number;
  readonly concepts: readonly RelatedConcept[];
}

/** A concept as the memory of another shows it. */
export interface RelatedConcept {
  readonly conceptId: string;
  readonly lemmas: readonly string[];
  readonly gloss: string;
}

/** "Person" alone has hundreds of hyponyms, and a value has a size limit. */
const maxPerKind = 40;

/** Follows a concept's relations. Kinds stand in the order in which WordNet lists them: hypernyms first. */
export function memoryOf(concept: Concept, conceptOf: (id: string) => Concept | undefined): Memory {
  const targets = new Map<RelationKind, Set<string>>();
  // Several words of the same two concepts may be related; the pair counts once.
  for (const { kind, target } of concept.relations) targets.set(kind, (targets.get(kind) ?? new Set()).add(target));
  return {
    conceptId: concept.id,
    partOfSpeech: nameOfPart(concept.part),
    lemmas: concept.lemmas,
    gloss: concept.gloss,
    relations: [...targets].map(([kind, ids]) => ({
      kind,
      total: ids.size,
      concepts: [...ids].slice(0, maxPerKind).flatMap((id) => {
        const related = conceptOf(id);
        return related ? [{ conceptId: related.id, lemmas: related.lemmas, gloss: related.gloss }] : [];
      }),
    })),
  };
}
