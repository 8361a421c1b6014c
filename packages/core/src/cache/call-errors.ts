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
 * Checks a reply, and the items of a list, for the refusals of Redis that mean "too large". The error of a call is the
 * same whether its command was sent alone or with the commands of other calls.
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
