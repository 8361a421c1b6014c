import { withDeadline } from "@continuum-cache/core/kit";
import { type Link, type LinkOptions, timeLeft } from "../shared/link.ts";
import type { Held } from "./leases.ts";
import type { QueueKeys, Source } from "./queue-keys.ts";
import type { Reader } from "./reader.ts";
import type { Tender } from "./tender.ts";

/**
 * Takes messages, never more than asked for: the most urgent first, but so that none starves. Each stream may give a small
 * share to begin with (one command), and the rest goes to the most urgent that has more. Where there are fewer to take than
 * streams, they are asked one by one: the most urgent first, each eighth time the least urgent first.
 */
export type Pull<Event> = (max: number, options: LinkOptions) => Promise<readonly Held<Event>[]>;

/** What a stream gets at least of a pull: one part of so many, for each stream. */
const shares = 2;
const upsideDownEvery = 8;
/** A stream that was empty is not asked again so soon when there is another to ask. */
const emptyForMs = 250;

export function createPull<Event>(link: Link, keys: QueueKeys, reader: Reader<Event>, tender: Tender): Pull<Event> {
  /** What was found again after a lost reply, and is more than was asked for. */
  let spare: Held<Event>[] = [];
  const emptyUntilMs = new Map<Source, number>();
  let pulls = 0;

  const inOrder = (): readonly Source[] => {
    const [again, ...priorities] = keys.sources as readonly [Source, ...Source[]];
    const ordered = ++pulls % upsideDownEvery === 0 ? [...priorities].reverse() : priorities;
    const nowMs = performance.now();
    const isEmpty = (source: Source): boolean => (emptyUntilMs.get(source) ?? 0) > nowMs;
    const all = [again, ...ordered];
    return [...all.filter((source) => !isEmpty(source)), ...all.filter(isEmpty)];
  };

  /** Fills up what is taken, trip by trip. */
  const fill = async (taken: Held<Event>[], max: number, left: () => LinkOptions): Promise<void> => {
    /** Tells which streams may have more. */
    const take = async (sources: readonly Source[], count: number): Promise<readonly Source[]> => {
      const more: Source[] = [];
      for (const [source, { leases, isFull }] of await reader.read([{ sources, count }], left())) {
        taken.push(...leases);
        if (isFull) more.push(source);
        emptyUntilMs.set(source, isFull ? 0 : performance.now() + emptyForMs);
      }
      return more;
    };
    let asked = inOrder();
    const wanted = max - taken.length;
    if (wanted >= asked.length) {
      const share = Math.max(1, Math.floor(wanted / (shares * asked.length)));
      const more = new Set(await take(keys.sources, share));
      asked = keys.sources.filter((source) => more.has(source));
    }
    for (const source of asked) {
      if (taken.length >= max) return;
      await take([source], max - taken.length);
    }
  };

  return async (max, options) => {
    const left = timeLeft(link, options);
    await withDeadline(link.name, left(), () => tender.ensure());
    const nowMs = performance.now();
    const taken = spare.filter(({ state, expiresMs }) => state === "held" && expiresMs > nowMs);
    spare = taken.splice(max);
    if (taken.length < max) {
      try {
        await fill(taken, max, left);
      } catch (error) {
        // What was taken before is the caller's all the same.
        if (taken.length === 0) throw error;
      }
    }
    spare = [...spare, ...taken.splice(max)];
    if (taken.length > 0) tender.stir();
    const rank = (held: Held<Event>): number => keys.sources.indexOf(held.source);
    return taken.sort((one, other) => rank(one) - rank(other));
  };
}
