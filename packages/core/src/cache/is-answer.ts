import { isTransportError } from "../errors/transport-error.ts";
import type { Reply } from "../ports/transport.ts";
import type { CacheCallOptions } from "./call-options.ts";

/** Whether PING was answered. Rejects with what the trip did when it failed and the call insists on the primary. */
export async function isAnswer(trip: Promise<readonly Reply[]>, { fallback }: CacheCallOptions): Promise<boolean> {
  try {
    return (await trip)[0] === "PONG";
  } catch (error) {
    if (isTransportError(error) && fallback !== false) return false;
    throw error;
  }
}
