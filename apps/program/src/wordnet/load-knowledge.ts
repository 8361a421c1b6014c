import { parseConceptId } from "./concept.ts";
import { type DataFile, type DataSource, readDataFile } from "./data-file.ts";
import { createKnowledgeBuilder, type Knowledge } from "./knowledge.ts";
import type { PartOfSpeech } from "./part-of-speech.ts";

/** The progress of loading. */
export interface LoadProgress {
  readonly part: PartOfSpeech;
  /** The number of concepts of this part of speech, whose file is loaded. */
  readonly conceptCount: number;
}

/** Reads WordNet's files and keeps them in memory as they are; each request for a concept parses it. */
export async function loadKnowledge(
  sources: readonly DataSource[],
  onProgress: (progress: LoadProgress) => void = () => {},
): Promise<Knowledge> {
  const builder = createKnowledgeBuilder();
  const files = new Map<PartOfSpeech, DataFile>();
  for (const source of sources) {
    const { part } = source;
    const before = builder.conceptCount;
    files.set(part, await readDataFile(source, builder.add));
    onProgress({ part, conceptCount: builder.conceptCount - before });
  }
  return builder.build((id) => {
    const place = parseConceptId(id);
    return place && files.get(place.part)?.conceptAt(place.offset);
  });
}
