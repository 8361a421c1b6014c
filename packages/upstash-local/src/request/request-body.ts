import type { IncomingMessage } from "node:http";
import { RequestError } from "../errors/request-error.ts";
import { requestSizeExceeded } from "../protocol/service-texts.ts";
import type { Holder } from "./held-bytes.ts";

/** How much of a body that is too long is read and discarded, so that its sender gets to see the error. */
const maxDiscardedBytes = 256 << 20;

/**
 * Reads a body of at most `maxBytes`. A longer one is not kept, yet read on for a while: a client that is cut off in
 * the middle of sending never gets to see the answer.
 *
 * @throws RequestError 413 when it is longer, 503 when all requests hold too much; any other error when the sender went
 *   away.
 */
export async function readBody(request: IncomingMessage, maxBytes: number, holder: Holder): Promise<Buffer> {
  // One buffer that grows: if a body arrives byte by byte, a list of chunks would hold an object for each byte.
  let body = Buffer.alloc(0);
  let bytes = 0;
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > maxBytes + maxDiscardedBytes) throw tooLarge(maxBytes, announced, request);
  for await (const chunk of request as AsyncIterable<Buffer>) {
    const end = bytes + chunk.length;
    if (end <= maxBytes) {
      if (end > body.length) {
        const size = Math.min(maxBytes, Math.max(end, 2 * body.length, Math.min(announced, 1 << 20)));
        holder.take(size - body.length);
        const larger = Buffer.allocUnsafe(size);
        body.copy(larger, 0, 0, bytes);
        body = larger;
      }
      chunk.copy(body, bytes);
    } else body = Buffer.alloc(0);
    bytes = end;
    if (bytes > maxBytes + maxDiscardedBytes) throw tooLarge(maxBytes, bytes, request);
  }
  if (bytes > maxBytes) throw tooLarge(maxBytes, bytes, request);
  return body.subarray(0, bytes);
}

function tooLarge(maxBytes: number, bytes: number, request: IncomingMessage): RequestError {
  // The rest of the body can't be told from a next request on the same connection, so the connection closes.
  const headers = request.complete ? {} : { connection: "close" };
  return new RequestError(413, requestSizeExceeded(maxBytes, bytes), headers);
}
