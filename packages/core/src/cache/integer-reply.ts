import { CodecError } from "../errors/codec-error.ts";
import { unwrap } from "../errors/command-error.ts";
import type { Command, Reply } from "../ports/transport.ts";
import type { Request } from "./requests.ts";

/** Reads the reply of a command that answers with an integer. @throws CodecError when JavaScript would round it. */
export function readInteger(reply: Reply | undefined): number {
  const integer = Number(unwrap(reply));
  // JSON numbers are doubles: beyond 2^53 an answer over REST would be rounded, and a rounded counter is a wrong one.
  if (!Number.isSafeInteger(integer)) {
    throw new CodecError(
      "integer",
      "Expected a whole number within ±2^53 from Redis, got a greater one, which JavaScript would round (the " +
        "command has run)",
    );
  }
  return integer;
}

/** A request whose answer is a whole number. */
export function integerRequest(operation: string, command: Command): Request<number> {
  return { operation, commands: [command], read: (replies, at) => readInteger(replies[at]) };
}
