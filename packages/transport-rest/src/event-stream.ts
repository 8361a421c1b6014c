import { restError } from "./rest-error.ts";

/** A line that grows longer than this is no event. */
const maxLineCharacters = 1 << 24;

/**
 * The `data` lines of a stream of server-sent events, as they come. Each line is a frame of its own, and everything else
 * (comments, blank lines, other fields) is skipped, as the official client does.
 */
export async function* dataLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > maxLineCharacters) {
      throw restError("protocol", `An event of the stream is over ${maxLineCharacters} characters`);
    }
    for (const line of lines) {
      if (line.startsWith("data:")) yield line.slice(line.startsWith("data: ") ? 6 : 5).replace(/\r$/, "");
    }
  }
}
