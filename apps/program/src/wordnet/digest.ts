import { type Concept, parseConceptId, type Relation } from "./concept.ts";
import { createKnowledgeBuilder, type Knowledge } from "./knowledge.ts";

/** One line: a concept's id, its words, its gloss, and kind and target of each relation. */
type Line = readonly [id: string, lemmas: readonly string[], gloss: string, relations: readonly (readonly string[])[]];

/**
 * Writes the concepts with the most relations, and the relations between them, as a line of text each: for homes that
 * have no room for the 22 MB of all.
 *
 * @param concepts - All concepts of WordNet.
 */
export function digestOf(concepts: readonly Concept[], size: number): string {
  const chosen = [...concepts].sort((one, other) => other.relations.length - one.relations.length).slice(0, size);
  const ids = new Set(chosen.map(({ id }) => id));
  const lines = chosen.map(({ id, lemmas, gloss, relations }) => {
    const kept = relations.filter(({ target }) => ids.has(target)).map(({ kind, target }) => [kind, target]);
    const line: Line = [id, lemmas, gloss, kept];
    return JSON.stringify(line);
  });
  return lines.join("\n");
}

/** Reads a digest. @throws SyntaxError or TypeError when the text is no digest. */
export function loadDigest(text: string): Knowledge {
  const builder = createKnowledgeBuilder();
  const concepts = new Map<string, Concept>();
  for (const line of text.split("\n")) {
    const [id, lemmas, gloss, relations] = JSON.parse(line) as Line;
    const place = parseConceptId(id);
    if (!place) throw new TypeError(`Expected a digest's line to begin with a concept's id, got ${line.slice(0, 40)}`);
    const concept: Concept = { id, part: place.part, lemmas, gloss, relations: relations.map(relationOf) };
    concepts.set(id, concept);
    builder.add(concept);
  }
  return builder.build((id) => concepts.get(id));
}

const relationOf = ([kind, target]: readonly string[]): Relation => ({ kind, target }) as Relation;
