import { CommandError, isTransportError, type Reply, TransportError } from "@continuum-cache/core";
import { transportName } from "../tcp-error.ts";

/** What came back for one command: a reply, the reason why there is none, or, for EXEC, the slots of its commands. */
export type Slot = Reply | TransportError | readonly Slot[];

/**
 * The replies of a trip, or why there are none: the server refused one for reasons of its own. The error says that
 * nothing ran only if it refused all.
 */
export function replies(slots: readonly Slot[]): Reply[] | TransportError {
  if (!slots.some(isTransportError)) return slots as Reply[];
  const refused = slots.filter(isTransportError);
  const first = refused[0] as TransportError;
  if (refused.length === slots.length) return first;
  return new TransportError(first.kind, first.message, { transport: transportName });
}

/**
 * The replies of the commands between MULTI and EXEC, or why there are none: as `replies`, and when the server does
 * not take MULTI.
 */
export function atomicReplies([begun, ...rest]: readonly Slot[]): Reply[] | TransportError {
  if (isTransportError(begun)) return new TransportError(begun.kind, begun.message, { transport: transportName });
  if (begun instanceof CommandError) {
    return new TransportError("protocol", `The server refuses MULTI: ${begun.message}`, { transport: transportName });
  }
  const queued = rest.slice(0, -1);
  const done = rest.at(-1);
  if (Array.isArray(done)) return replies(done);
  // Nothing was applied: what was wrong with a command is said in its place, and the others say that they were
  // discarded.
  const refused = queued.find(isTransportError) ?? (isTransportError(done) ? done : undefined);
  if (refused) return refused;
  const discarded = done instanceof CommandError ? done : new CommandError("EXECABORT Transaction discarded");
  return queued.map((slot) => (slot instanceof CommandError ? slot : discarded));
}
