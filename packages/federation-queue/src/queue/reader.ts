import { type Command, isCommandError, isTransportError, TransportError } from "@continuum-cache/core";
import { createMutex, hasLastingTimers } from "@continuum-cache/core/kit";
import { accepted, type Link, type LinkOptions, timeLeft } from "../shared/link.ts";
import { type Held, type Leases, maxInFlight } from "./leases.ts";
import type { StreamEntry } from "./message-fields.ts";
import { group, type QueueKeys, type Source } from "./queue-keys.ts";
import type { Order } from "./supply.ts";

/**
 * Takes messages. Where a call can vanish they are taken one call at a time, so that the next one can tell what a vanished one
 * was given from what is on its way.
 */
export interface Reader<Event> {
  /**
   * Takes up to so many messages of each of these streams, in one trip: leases by stream, in order. What a lost reply had
   * given out is found again first, and may be more.
   *
   * @param options - Absent: each trip has the queue's own timeout.
   */
  read(orders: readonly Order[], options?: LinkOptions): Promise<ReadonlyMap<Source, Taken<Event>>>;
}

/** What one stream gave. */
export interface Taken<Event> {
  readonly leases: readonly Held<Event>[];
  /** It gave as much as was asked for: there may be more. */
  readonly isFull: boolean;
}

/** What XREADGROUP answers of one stream. */
type Row = readonly [key: string, entries: readonly StreamEntry[]];

export function createReader<Event>(
  link: Link,
  keys: QueueKeys,
  leases: Leases<Event>,
  consumer: string,
): Reader<Event> {
  const turns = hasLastingTimers() ? undefined : createMutex();
  /** The streams of the trip that is under way, or whose call has vanished; none where calls do not vanish. */
  let asking: readonly Source[] = [];
  /** Streams that may have given out what this process never heard of, and the number of the doubt. */
  const doubtful = new Map<Source, number>();
  let doubts = 0;
  const doubt = (sources: readonly Source[]): void => {
    doubts++;
    for (const source of sources) doubtful.set(source, doubts);
  };

  const makeGroups = async (left: () => LinkOptions): Promise<void> => {
    const made = await link.send(
      keys.sources.map(({ key }) => ["XGROUP", "CREATE", key, group, "0", "MKSTREAM"]),
      left(),
    );
    for (const each of made) if (isCommandError(each) && each.code !== "BUSYGROUP") throw each;
  };

  /** The entries of each stream by its key. */
  const trip = async (
    orders: readonly Order[],
    from: ">" | "0",
    left: () => LinkOptions,
  ): Promise<Map<string, readonly StreamEntry[]>> => {
    const replies = await link.send(
      orders.map(({ sources, count }): Command => {
        const streams = [...sources.map(({ key }) => key), ...sources.map(() => from)];
        return ["XREADGROUP", "GROUP", group, consumer, "COUNT", count, "STREAMS", ...streams];
      }),
      left(),
    );
    const found = new Map<string, readonly StreamEntry[]>();
    const without: Order[] = [];
    for (const [at, order] of orders.entries()) {
      const reply = replies[at] ?? null;
      if (Array.isArray(reply)) for (const [key, entries] of reply as readonly Row[]) found.set(key, entries);
      else if (isCommandError(reply) && reply.code === "NOGROUP") without.push(order);
      else accepted(reply);
    }
    if (without.length === 0) return found;
    await makeGroups(left);
    return new Map([...found, ...(await trip(without, from, left))]);
  };

  const take = async (
    orders: readonly Order[],
    from: ">" | "0",
    left: () => LinkOptions,
  ): Promise<Map<Source, Taken<Event>>> => {
    const askedMs = performance.now();
    const found = await trip(orders, from, left);
    const taken = new Map<Source, Taken<Event>>();
    for (const { sources, count } of orders) {
      for (const source of sources) {
        const entries = found.get(source.key) ?? [];
        const held = entries.flatMap((entry) => leases.take(source, entry, askedMs) ?? []);
        taken.set(source, { leases: held, isFull: entries.length >= count });
      }
    }
    return taken;
  };

  const read = async (
    orders: readonly Order[],
    left: () => LinkOptions,
  ): Promise<ReadonlyMap<Source, Taken<Event>>> => {
    const sources = orders.flatMap((order) => order.sources);
    // What a call that has vanished was given is this consumer's still.
    doubt(asking);
    const adopting = sources.filter((source) => doubtful.has(source));
    if (adopting.length > 0) {
      const latest = doubts;
      // All that is this consumer's: what is known already is passed over, so the count is of no matter.
      const adopted = await take([{ sources: adopting, count: 2 * maxInFlight }], "0", left);
      // What came into doubt meanwhile may have been given out behind it.
      for (const source of adopting) if ((doubtful.get(source) ?? 0) <= latest) doubtful.delete(source);
      // That is enough for once: what else there is stays for the next time.
      if ([...adopted.values()].some(({ leases: found }) => found.length > 0)) {
        return new Map(sources.map((source) => [source, { leases: adopted.get(source)?.leases ?? [], isFull: true }]));
      }
    }
    if (turns) asking = sources;
    try {
      return await take(orders, ">", left);
    } catch (error) {
      if (isTransportError(error) && error.delivery === "unknown") doubt(sources);
      throw error;
    } finally {
      asking = [];
    }
  };

  return {
    async read(orders, options) {
      const left = options ? timeLeft(link, options) : (): LinkOptions => ({});
      if (!turns) return read(orders, left);
      const { timeoutMs = link.timeoutMs, signal } = options ?? {};
      const turn = await turns.run(() => read(orders, left), { timeoutMs, signal });
      if (turn) return turn.result;
      const [kind, why] = signal?.aborted
        ? (["aborted", "The call was aborted by its signal"] as const)
        : (["timeout", `Earlier reads took all of its ${timeoutMs} ms (raise \`timeout\`)`] as const);
      throw new TransportError(kind, why, { transport: link.name, delivery: "none", cause: signal?.reason });
    },
  };
}
