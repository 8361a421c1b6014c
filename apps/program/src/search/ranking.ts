import type { InvertedIndex } from "./inverted-index.ts";

/** How much one field counts. */
export interface FieldWeight {
  /** The weight of one occurrence. */
  readonly weight: number;
  /** How far a long field makes each of its occurrences worth less: 0 not at all, 1 in full proportion. */
  readonly lengthPenalty: number;
}

/** How documents are ranked. */
export interface RankingOptions {
  /** For each field of the index. */
  readonly fields: readonly FieldWeight[];
  /** Multiplies each document's score. */
  readonly prominence: Float32Array;
  /** How soon further occurrences of a term stop to count. @default 1.2 */
  readonly saturation?: number;
}

/** A document in the results of a search. */
export interface Ranked {
  readonly document: number;
  readonly score: number;
}

/** Finds the best documents for a list of terms. */
export type Rank = (terms: readonly string[], limit: number) => Ranked[];

/**
 * BM25 over several fields (BM25F): it weights the occurrences in a document by field and by the field's length, adds
 * them up, saturates the sum once, and multiplies it by how rare the term is. Documents of equal score stand in index
 * order.
 */
export function createRanking(index: InvertedIndex, options: RankingOptions): Rank {
  const { fields, prominence, saturation = 1.2 } = options;
  // All zero between two searches: each search clears what it has touched.
  const scores = new Float32Array(index.documentCount);

  const addTerm = (term: string, touched: number[]): void => {
    const postings = index.postings(term);
    if (!postings) return;
    const { documents, frequencies } = postings;
    const rarity = Math.log(1 + (index.documentCount - documents.length + 0.5) / (documents.length + 0.5));
    documents.forEach((document, at) => {
      let weighted = 0;
      fields.forEach(({ weight, lengthPenalty }, field) => {
        const frequency = frequencies[field]?.[at] ?? 0;
        if (frequency === 0) return;
        const relativeLength = (index.lengths[field]?.[document] ?? 0) / (index.averageLengths[field] ?? 1);
        weighted += (weight * frequency) / (1 - lengthPenalty + lengthPenalty * relativeLength);
      });
      if (scores[document] === 0) touched.push(document);
      scores[document] = (scores[document] as number) + (rarity * weighted) / (saturation + weighted);
    });
  };

  return (terms, limit) => {
    const touched: number[] = [];
    for (const term of new Set(terms)) addTerm(term, touched);
    const best: Ranked[] = [];
    for (const document of touched) {
      const score = (scores[document] as number) * (prominence[document] ?? 1);
      scores[document] = 0;
      insert(best, { document, score }, limit);
    }
    return best;
  };
}

/** Keeps `best` sorted and no longer than `limit`. */
function insert(best: Ranked[], candidate: Ranked, limit: number): void {
  const last = best.at(-1);
  if (best.length === limit && last && !precedes(candidate, last)) return;
  let at = best.length;
  while (at > 0 && precedes(candidate, best[at - 1] as Ranked)) at--;
  best.splice(at, 0, candidate);
  if (best.length > limit) best.pop();
}

const precedes = (one: Ranked, other: Ranked): boolean =>
  one.score > other.score || (one.score === other.score && one.document < other.document);
