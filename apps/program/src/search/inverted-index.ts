import { growingArray } from "./growing-array.ts";

/** Where a term occurs: documents in ascending order, and how often in each of their fields. */
export interface Postings {
  readonly documents: Uint32Array;
  /** One array for each field, parallel to `documents`. Counts stop at 255. */
  readonly frequencies: readonly Uint8Array[];
}

/** For each term the documents that hold it, and the field lengths that ranking needs. */
export interface InvertedIndex {
  readonly documentCount: number;
  readonly termCount: number;
  postings(term: string): Postings | undefined;
  /** For each field the number of terms in each document's. */
  readonly lengths: readonly Uint16Array[];
  /** For each field the average of its lengths. */
  readonly averageLengths: readonly number[];
}

/** Takes documents one after the other. */
export interface IndexBuilder {
  /** @returns the document's number: 0, 1, 2… */
  add(fields: readonly (readonly string[])[]): number;
  build(): InvertedIndex;
}

/** Postings lie in flat typed arrays: 117,000 documents take megabytes, not objects by the million. */
export function createIndexBuilder(fieldCount: number): IndexBuilder {
  const terms = new Map<string, number>();
  /** The latest posting of each term: it counts repetitions within a document. */
  const latest = growingArray(Uint32Array);
  const perField = Array.from({ length: fieldCount }, () => ({
    frequencies: growingArray(Uint8Array),
    lengths: growingArray(Uint16Array),
  }));
  const postingTerms = growingArray(Uint32Array);
  const postingDocuments = growingArray(Uint32Array);
  let documentCount = 0;

  const newPosting = (term: number): number => {
    postingTerms.push(term);
    postingDocuments.push(documentCount);
    for (const { frequencies } of perField) frequencies.push(0);
    return postingTerms.length - 1;
  };

  const postingOf = (text: string): number => {
    const term = terms.get(text);
    if (term === undefined) {
      const posting = newPosting(terms.size);
      latest.push(posting);
      terms.set(text, terms.size);
      return posting;
    }
    const posting = latest.at(term);
    if (postingDocuments.at(posting) === documentCount) return posting;
    const next = newPosting(term);
    latest.set(term, next);
    return next;
  };

  return {
    add(fields) {
      perField.forEach(({ frequencies, lengths }, field) => {
        const fieldTerms = fields[field] ?? [];
        for (const term of fieldTerms) frequencies.increment(postingOf(term));
        lengths.push(fieldTerms.length);
      });
      return documentCount++;
    },
    build() {
      const { starts, order } = groupByTerm(postingTerms.toArray(), terms.size);
      const pick = <Numbers extends Uint8Array | Uint32Array>(numbers: Numbers): Numbers =>
        numbers.map((_, at) => numbers[order[at] as number] as number) as Numbers;
      const documents = pick(postingDocuments.toArray());
      const frequencies = perField.map((field) => pick(field.frequencies.toArray()));
      const lengths = perField.map((field) => field.lengths.toArray());
      return {
        documentCount,
        termCount: terms.size,
        lengths,
        averageLengths: lengths.map((each) => each.reduce((sum, length) => sum + length, 0) / Math.max(1, each.length)),
        postings(text) {
          const term = terms.get(text);
          if (term === undefined) return undefined;
          const range = [starts[term], starts[term + 1]] as const;
          return {
            documents: documents.subarray(...range),
            frequencies: frequencies.map((each) => each.subarray(...range)),
          };
        },
      };
    },
  };
}

/** A counting sort: `order` lists postings term by term, and within a term as they came, by document. */
function groupByTerm(postingTerms: Uint32Array, termCount: number): { starts: Uint32Array; order: Uint32Array } {
  const starts = new Uint32Array(termCount + 1);
  for (const term of postingTerms) starts[term + 1] = (starts[term + 1] as number) + 1;
  for (let term = 0; term < termCount; term++)
    starts[term + 1] = (starts[term + 1] as number) + (starts[term] as number);
  const next = starts.slice();
  const order = new Uint32Array(postingTerms.length);
  postingTerms.forEach((term, posting) => {
    const place = next[term] as number;
    order[place] = posting;
    next[term] = place + 1;
  });
  return { starts, order };
}
