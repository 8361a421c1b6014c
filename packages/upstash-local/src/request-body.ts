import type { IncomingMessage } from "node:http";
import { RequestError } from "./request-error.ts";
import { requestSizeExceeded } from "./service-texts.ts";

/** Of a body that is too long, so much more is read and thrown away, so that its sender hears why. */
const maxDiscardedBytes = 256 << 20;

/**
 * Reads a body of at most `maxBytes`. A longer one is not kept, yet read on for a while: whoever is cut off in the middle
 * of sending never gets to see the answer.
 *
 * @throws RequestError 413 when it is longer; any other error when the sender went away.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > maxBytes + maxDiscardedBytes) throw tooLarge(maxBytes, announced, request);
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (bytes > maxBytes + maxDiscardedBytes) throw tooLarge(maxBytes, bytes, request);
  }
  if (bytes > maxBytes) throw tooLarge(maxBytes, bytes, request);
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number, bytes: number, request: IncomingMessage): RequestError {
  // What was not read can't be told from a next request on the same connection.
  const headers = request.complete ? {} : { connection: "close" };
  return new RequestError(413, requestSizeExceeded(maxBytes, bytes), headers);
}
