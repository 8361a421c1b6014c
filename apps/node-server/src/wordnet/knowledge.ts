import { createIndexBuilder } from "../search/inverted-index.ts";
import { createRanking } from "../search/ranking.ts";
import { termsOf } from "../search/tokenizer.ts";
import { type ConceptPlace, parseConceptId } from "./concept.ts";
import { type DataFile, type DataSource, readDataFile } from "./data-file.ts";
import { splitGloss } from "./data-line.ts";
import { type Memory, memoryOf } from "./memory.ts";
import type { PartOfSpeech } from "./part-of-speech.ts";
import { type SearchResult, searchResultOf } from "./search-result.ts";

/** What can be asked of WordNet. */
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

/** How loading is going. */
export interface LoadProgress {
  readonly part: PartOfSpeech;
  /** Of this part of speech, all of them: the file is done. */
  readonly conceptCount: number;
}

const lemmaField = { weight: 3, lengthPenalty: 0.5 };
const definitionField = { weight: 1, lengthPenalty: 0.6 };
const exampleField = { weight: 0.4, lengthPenalty: 0.6 };
const fields = [lemmaField, definitionField, exampleField];

/** Reads WordNet's files and indexes every concept by its words and its gloss. */
export async function loadKnowledge(
  sources: readonly DataSource[],
  onProgress: (progress: LoadProgress) => void = () => {},
): Promise<Knowledge> {
  const builder = createIndexBuilder(fields.length);
  const files = new Map<PartOfSpeech, DataFile>();
  const places: ConceptPlace[] = [];
  const prominence: number[] = [];

  for (const source of sources) {
    const { part } = source;
    const before = places.length;
    const file = await readDataFile(source, (concept, offset) => {
      const { definition, examples } = splitGloss(concept.gloss);
      builder.add([concept.lemmas.join(" "), definition, examples].map(termsOf));
      places.push({ part, offset });
      // Who searches for "dog" means the animal more often than the andiron, and the animal has the more relations.
      prominence.push(1 + Math.log1p(concept.relations.length) / 10);
    });
    files.set(part, file);
    onProgress({ part, conceptCount: places.length - before });
  }

  const index = builder.build();
  const rank = createRanking(index, { fields, prominence: Float32Array.from(prominence) });
  const conceptAt = ({ part, offset }: ConceptPlace) => files.get(part)?.conceptAt(offset);
  const conceptOf = (id: string) => {
    const place = parseConceptId(id);
    return place && conceptAt(place);
  };

  return {
    conceptCount: index.documentCount,
    termCount: index.termCount,
    normalize: (text) => termsOf(text).join(" "),
    search: (text, limit) =>
      rank(termsOf(text), limit).flatMap(({ document, score }) => {
        const concept = conceptAt(places[document] as ConceptPlace);
        return concept ? [searchResultOf(concept, score)] : [];
      }),
    memory(id) {
      const concept = conceptOf(id);
      return concept && memoryOf(concept, conceptOf);
    },
  };
}
