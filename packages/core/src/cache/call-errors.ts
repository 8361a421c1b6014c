import { isCommandError } from "../errors/command-error.ts";
import { errorFromRedis } from "../errors/error-from-redis.ts";
import { isTransportError, TransportError, type TransportErrorDetails } from "../errors/transport-error.ts";
import type { Reply } from "../ports/transport.ts";

/** What a call gets whose time was over before its batch could depart. */
export const expiredError = (transport: string): TransportError =>
  new TransportError(
    "timeout",
    "The call's time was over before it could be sent (do less at once, or raise `timeout`)",
    {
      transport,
      delivery: "none",
      queued: true,
    },
  );

/**
 * Looks for what Redis says of a reply, or of a part of it, that is too large. A command that was too large among others is
 * told to its caller as it would be alone: a call's error tells nothing of its neighbors.
 *
 * @throws TransportError of kind `too-large`.
 */
export function assertNotTooLarge(reply: Reply, details: TransportErrorDetails): void {
  if (reply instanceof Uint8Array) return;
  for (const element of Array.isArray(reply) ? (reply as readonly Reply[]) : [reply]) {
    if (!isCommandError(element)) continue;
    const sorted = errorFromRedis(element.message, "");
    if (isTransportError(sorted) && sorted.kind === "too-large") {
      throw new TransportError("too-large", element.message, details);
    }
  }
}
