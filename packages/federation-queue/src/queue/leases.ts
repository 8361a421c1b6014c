import type { Codec } from "@continuum-cache/core";
import { fromMessageText } from "@continuum-cache/core";
import type { Lease } from "../lease.ts";
import { createLease, type LeaseCommons, type LeaseWork } from "./create-lease.ts";
import { type MessageFields, readFields, type StreamEntry } from "./message-fields.ts";
import type { Source } from "./queue-keys.ts";

/** A lease as this process keeps it. Its entry's id is the fence: it is pending as long as the lease is held. */
export interface Held<Event = unknown> {
  readonly entryId: string;
  readonly source: Source;
  readonly fields: MessageFields;
  readonly lease: Lease<Event>;
  /** When it was taken, by `performance.now()`. */
  readonly takenMs: number;
  /** When it ends unless it is extended, by `performance.now()`. */
  expiresMs: number;
  /** "settling" while an answer is awaited. */
  state: "held" | "settling" | "over";
  /** It ended without being settled here. */
  readonly isLost: boolean;
  /** Its handler has asked for it to be given back, or counted as failed: it is not to be acked any more. */
  isUnwanted: boolean;
  /** A settling has been sent whose outcome nobody knows. */
  isDoubtful: boolean;
  /** Until when it is extended by itself, by `performance.now()`; 0: not at all. */
  keepUntilMs: number;
  /** Acks it, and calls back: with why it is not done, or with nothing. @throws LeaseLostError when it is over already. */
  ack(done: (error: Error | undefined) => void): void;
  /** It is somebody else's, or has to be taken for that. */
  lose(): void;
  /** It is settled, and nobody's. */
  end(): void;
}

/** The leases of this process. */
export interface Leases<Event> {
  readonly inFlight: number;
  all(): readonly Held<Event>[];
  /** Undefined where there is nothing to work on: it is held already, gone, or unreadable. */
  take(source: Source, entry: StreamEntry, takenMs: number): Held<Event> | undefined;
}

export interface LeasesOptions extends LeaseWork {
  readonly codec: Codec;
  readonly leaseMs: number;
  /** Puts what can't be read to the dead. */
  unreadable(source: Source, entryId: string, fields: MessageFields, error: unknown): void;
}

/**
 * A lease that ended so long ago without being settled is forgotten, in leases. Until then it is not taken again: it is the
 * tending that gives its message out anew, and counts that.
 */
const forgottenAfter = 2;

export function createLeases<Event>(options: LeasesOptions): Leases<Event> {
  const { codec, leaseMs, unreadable } = options;
  const held = new Map<string, Held<Event>>();

  const commons: LeaseCommons = {
    leaseMs,
    work: options,
    onSettled: ({ source, entryId }) => held.delete(nameOf(source, entryId)),
  };

  /** What no codec here can read goes to the dead, where it can be looked at. */
  const decode = (text: string): { readonly event: Event } | { readonly error: unknown } => {
    try {
      return { event: codec.decode(fromMessageText(text)) as Event };
    } catch (error) {
      return { error };
    }
  };
  const forgetOld = (nowMs: number): void => {
    for (const [name, one] of held) if (one.expiresMs + forgottenAfter * leaseMs < nowMs) held.delete(name);
  };

  return {
    get inFlight() {
      const nowMs = performance.now();
      forgetOld(nowMs);
      let count = 0;
      for (const { expiresMs, state } of held.values()) if (expiresMs > nowMs && state !== "over") count++;
      return count;
    },
    all: () => [...held.values()],
    take(source, entry, takenMs) {
      const [entryId, words] = entry;
      const name = nameOf(source, entryId);
      // An entry without fields was deleted while it was pending.
      if (held.has(name) || !words) return undefined;
      const fields = readFields(entry);
      const read = decode(fields.e);
      if ("error" in read) {
        unreadable(source, entryId, fields, read.error);
        return undefined;
      }
      const one = createLease<Event>({ entryId, source, fields, event: read.event, takenMs }, commons);
      held.set(name, one);
      return one;
    },
  };
}

const nameOf = ({ key }: Source, entryId: string): string => `${entryId} ${key}`;
