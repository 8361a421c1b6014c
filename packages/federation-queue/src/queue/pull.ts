import { withDeadline } from "@continuum-cache/core/kit";
import { type PrimaryCallOptions, type PrimaryClient, timeLeft } from "../shared/primary-client.ts";
import type { LeaseRecord } from "./leases.ts";
import type { Maintenance } from "./maintenance.ts";
import type { PriorityStream, QueueKeys } from "./queue-keys.ts";
import type { Reader } from "./reader.ts";

/**
 * Takes messages, at most as many as asked for. The most urgent go first, but no priority starves: each stream gives a
 * small share in a first command, and the rest comes from the most urgent streams that have more. A pull of fewer
 * messages than there are streams asks them one by one: the most urgent first, in every eighth pull the least urgent
 * first.
 */
export type Pull<Event> = (max: number, options: PrimaryCallOptions) => Promise<readonly LeaseRecord<Event>[]>;

/** The shares of all streams together are one part in this many of a pull. */
const sharedPart = 2;
const reversedEvery = 8;
/** A stream that was empty is asked last for this long. */
const emptyForMs = 250;

export function createPull<Event>(
  client: PrimaryClient,
  keys: QueueKeys,
  reader: Reader<Event>,
  maintenance: Maintenance,
): Pull<Event> {
  /** Messages of a lost reply that were found again, and are more than was asked for. */
  let spare: LeaseRecord<Event>[] = [];
  const emptyUntilMs = new Map<PriorityStream, number>();
  let pulls = 0;

  const inOrder = (): readonly PriorityStream[] => {
    const [retry, ...priorities] = keys.streams as readonly [PriorityStream, ...PriorityStream[]];
    const all = [retry, ...(++pulls % reversedEvery === 0 ? priorities.reverse() : priorities)];
    const nowMs = performance.now();
    const isEmpty = (stream: PriorityStream): boolean => (emptyUntilMs.get(stream) ?? 0) > nowMs;
    return [...all.filter((stream) => !isEmpty(stream)), ...all.filter(isEmpty)];
  };

  /** Adds to what is taken, one round trip after the other. */
  const fill = async (taken: LeaseRecord<Event>[], max: number, left: () => PrimaryCallOptions): Promise<void> => {
    /** @returns the streams that may have more. */
    const take = async (streams: readonly PriorityStream[], count: number): Promise<readonly PriorityStream[]> => {
      const more: PriorityStream[] = [];
      for (const [stream, { leases, isFull }] of await reader.read([{ streams, count }], left())) {
        taken.push(...leases);
        if (isFull) more.push(stream);
        emptyUntilMs.set(stream, isFull ? 0 : performance.now() + emptyForMs);
      }
      return more;
    };
    let asked = inOrder();
    const wanted = max - taken.length;
    if (wanted >= asked.length) {
      const share = Math.max(1, Math.floor(wanted / (sharedPart * asked.length)));
      const more = new Set(await take(keys.streams, share));
      asked = keys.streams.filter((stream) => more.has(stream));
    }
    for (const stream of asked) {
      if (taken.length >= max) return;
      await take([stream], max - taken.length);
    }
  };

  return async (max, options) => {
    const left = timeLeft(client, options);
    await withDeadline(client.name, left(), () => maintenance.runIfOverdue());
    const nowMs = performance.now();
    const taken = spare.filter(({ state, expiresMs }) => state === "held" && expiresMs > nowMs);
    spare = taken.splice(max);
    if (taken.length < max) {
      try {
        await fill(taken, max, left);
      } catch (error) {
        // The messages of earlier round trips are the caller's.
        if (taken.length === 0) throw error;
      }
    }
    spare = [...spare, ...taken.splice(max)];
    if (taken.length > 0) maintenance.noteActivity();
    const rank = (record: LeaseRecord<Event>): number => keys.streams.indexOf(record.stream);
    return taken.sort((one, other) => rank(one) - rank(other));
  };
}
