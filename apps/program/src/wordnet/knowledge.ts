import { createIndexBuilder } from "../search/inverted-index.ts";
import { createRanking } from "../search/ranking.ts";
import { termsOf } from "../search/tokenizer.ts";
import type { Concept } from "./concept.ts";
import { splitGloss } from "./data-line.ts";
import { type Memory, memoryOf } from "./memory.ts";
import { type SearchResult, searchResultOf } from "./search-result.ts";

/** Answers questions about WordNet. */
export interface Knowledge {
  readonly conceptCount: number;
  readonly termCount: number;
  /** The text as the search sees it: texts that are equal then have the same results. */
  normalize(text: string): string;
  /** The best concepts for a text, at most `limit`. */
  search(text: string, limit: number): SearchResult[];
  /** A concept with those around it, or `undefined` when there is none of this id. */
  memory(conceptId: string): Memory | undefined;
}

/** Collects concepts one by one, and indexes each by its words and its gloss. */
export interface KnowledgeBuilder {
  readonly conceptCount: number;
  add(concept: Concept): void;
  /** @param conceptOf - Finds a collected concept by its id. */
  build(conceptOf: (id: string) => Concept | undefined): Knowledge;
}

const lemmaField = { weight: 3, lengthPenalty: 0.5 };
const definitionField = { weight: 1, lengthPenalty: 0.6 };
const exampleField = { weight: 0.4, lengthPenalty: 0.6 };
const fields = [lemmaField, definitionField, exampleField];

export function createKnowledgeBuilder(): KnowledgeBuilder {
  const builder = createIndexBuilder(fields.length);
  const ids: string[] = [];
  const prominence: number[] = [];
  return {
    get conceptCount() {
      return ids.length;
    },
    add({ id, lemmas, gloss, relations }) {
      const { definition, examples } = splitGloss(gloss);
      builder.add([lemmas.join(" "), definition, examples].map(termsOf));
      ids.push(id);
      // A search for "dog" means the animal more often than the andiron, and the animal has more relations.
      prominence.push(1 + Math.log1p(relations.length) / 10);
    },
    build(conceptOf) {
      const index = builder.build();
      const rank = createRanking(index, { fields, prominence: Float32Array.from(prominence) });
      return {
        conceptCount: index.documentCount,
        termCount: index.termCount,
        normalize: (text) => termsOf(text).join(" "),
        search: (text, limit) =>
          rank(termsOf(text), limit).flatMap(({ document, score }) => {
            const concept = conceptOf(ids[document] as string);
            return concept ? [searchResultOf(concept, score)] : [];
          }),
        memory(id) {
          const concept = conceptOf(id);
          return concept && memoryOf(concept, conceptOf);
        },
      };
    },
  };
}
