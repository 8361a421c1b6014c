import { restError } from "../rest-error.ts";

/** A line that grows longer than this is no event. */
const maxLineCharacters = 1 << 26;
/** So many pieces of a line are kept one by one. */
const maxPieces = 1_000;

/**
 * The `data` lines of a stream of server-sent events, as they come. Each line is a frame of its own, and everything
 * else (comments, blank lines, other fields) is skipped, as the official client does. A line is only one once its end
 * has come: what a stream leaves behind that breaks off is dropped.
 *
 * @throws TransportError when a line does not end.
 */
export async function* dataLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const lines = createDataLines();
  for await (const chunk of chunks) yield* lines.read(chunk);
}

/** The same for chunks that are handed in. */
export interface DataLines {
  /** The lines whose end has come with this chunk. @throws TransportError when the line that is left is too long. */
  read(chunk: Uint8Array): string[];
}

export function createDataLines(maxCharacters: number = maxLineCharacters): DataLines {
  // It keeps the bytes of a character that is cut in two, and drops a byte order mark at the beginning.
  const decoder = new TextDecoder();
  /**
   * The pieces of a line whose end is still to come. Many small ones are put together early, to be one text in place
   * of many.
   */
  let blocks: string[] = [];
  let pieces: string[] = [];
  let size = 0;

  return {
    read(chunk) {
      const lines = decoder.decode(chunk, { stream: true }).split("\n");
      const rest = lines.pop() ?? "";
      if (lines.length > 0) {
        lines[0] = blocks.join("") + pieces.join("") + lines[0];
        blocks = [];
        pieces = [];
        size = 0;
      }
      if (pieces.push(rest) === maxPieces) {
        blocks.push(pieces.join(""));
        pieces = [];
      }
      size += rest.length;
      if (size > maxCharacters) {
        throw restError("protocol", `An event of the stream is over ${maxCharacters} characters`);
      }
      return lines
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(line.startsWith("data: ") ? 6 : 5, line.endsWith("\r") ? -1 : undefined));
    },
  };
}
