import { type Command, isCommandError, isTransportError, TransportError } from "@continuum-cache/core";
import {
  abortedError,
  createMutex,
  hasLastingTimers,
  type Mutex,
  unwrap,
  withDeadline,
} from "@continuum-cache/core/kit";
import { type PrimaryCallOptions, type PrimaryClient, timeLeft } from "../shared/primary-client.ts";
import type { FetchRequest } from "./fetch-planner.ts";
import { type LeaseRecord, type Leases, maxInFlight } from "./leases.ts";
import type { Maintenance } from "./maintenance.ts";
import type { StreamEntry } from "./message-fields.ts";
import { group, type PriorityStream, type QueueKeys } from "./settings.ts";

/**
 * Reads messages from the streams. On the edge one call reads at a time: so the next one can tell the messages of a
 * vanished call from those that are on their way.
 */
export interface Reader<Event> {
  /**
   * Takes up to `count` messages from each stream, in one round trip: leases by stream, in order. Messages of a lost
   * reply are found again first, and may be more than `count`.
   *
   * @param options - Undefined: each round trip has the queue's timeout.
   */
  read(
    requests: readonly FetchRequest[],
    options?: PrimaryCallOptions,
  ): Promise<ReadonlyMap<PriorityStream, Taken<Event>>>;
}

/** The messages of one stream. */
export interface Taken<Event> {
  readonly leases: readonly LeaseRecord<Event>[];
  /** It gave as many as were asked for: there may be more. */
  readonly isFull: boolean;
}

/** The reply of XREADGROUP for one stream. */
type Row = readonly [key: string, entries: readonly StreamEntry[]];

export function createReader<Event>(
  client: PrimaryClient,
  keys: QueueKeys,
  leases: Leases<Event>,
  consumer: string,
): Reader<Event> {
  const turns = hasLastingTimers() ? undefined : createMutex();
  /** On the edge: the streams of the read that is in flight, or whose call has vanished. */
  let reading: readonly PriorityStream[] = [];
  /** Streams that may have given messages to this process in a lost reply, with the number of the latest loss. */
  const uncertain = new Map<PriorityStream, number>();
  let losses = 0;
  const maybeLost = (streams: readonly PriorityStream[]): void => {
    losses++;
    for (const stream of streams) uncertain.set(stream, losses);
  };

  const makeGroups = async (left: () => PrimaryCallOptions): Promise<void> => {
    const made = await client.send(
      keys.streams.map(({ key }) => ["XGROUP", "CREATE", key, group, "0", "MKSTREAM"]),
      left(),
    );
    for (const each of made) if (isCommandError(each) && each.code !== "BUSYGROUP") throw each;
  };

  /** @returns the entries of each stream by its key. */
  const exchange = async (
    requests: readonly FetchRequest[],
    from: ">" | "0",
    left: () => PrimaryCallOptions,
  ): Promise<Map<string, readonly StreamEntry[]>> => {
    const replies = await client.send(
      requests.map(({ streams, count }): Command => {
        const keysAndIds = [...streams.map(({ key }) => key), ...streams.map(() => from)];
        return ["XREADGROUP", "GROUP", group, consumer, "COUNT", count, "STREAMS", ...keysAndIds];
      }),
      left(),
    );
    const found = new Map<string, readonly StreamEntry[]>();
    const without: FetchRequest[] = [];
    for (const [at, request] of requests.entries()) {
      const reply = replies[at] ?? null;
      if (Array.isArray(reply)) for (const [key, entries] of reply as readonly Row[]) found.set(key, entries);
      else if (isCommandError(reply) && reply.code === "NOGROUP") without.push(request);
      else unwrap(reply);
    }
    if (without.length === 0) return found;
    await makeGroups(left);
    return new Map([...found, ...(await exchange(without, from, left))]);
  };

  const take = async (
    requests: readonly FetchRequest[],
    from: ">" | "0",
    left: () => PrimaryCallOptions,
  ): Promise<Map<PriorityStream, Taken<Event>>> => {
    const askedMs = performance.now();
    const found = await exchange(requests, from, left);
    const taken = new Map<PriorityStream, Taken<Event>>();
    for (const { streams, count } of requests) {
      for (const stream of streams) {
        const entries = found.get(stream.key) ?? [];
        const records = entries.flatMap((entry) => leases.take(stream, entry, askedMs) ?? []);
        taken.set(stream, { leases: records, isFull: entries.length >= count });
      }
    }
    return taken;
  };

  const read = async (
    requests: readonly FetchRequest[],
    left: () => PrimaryCallOptions,
  ): Promise<ReadonlyMap<PriorityStream, Taken<Event>>> => {
    const streams = requests.flatMap((request) => request.streams);
    // The messages of a vanished call are still this consumer's.
    maybeLost(reading);
    const adopting = streams.filter((stream) => uncertain.has(stream));
    if (adopting.length > 0) {
      const latest = losses;
      // All pending messages of this consumer. Known ones are skipped, so the count does not matter.
      const adopted = await take([{ streams: adopting, count: 2 * maxInFlight }], "0", left);
      // A reply that was lost in the meantime may have given out more after this one.
      for (const stream of adopting) if ((uncertain.get(stream) ?? 0) <= latest) uncertain.delete(stream);
      // New messages are left for the next read.
      if ([...adopted.values()].some(({ leases: found }) => found.length > 0)) {
        return new Map(streams.map((stream) => [stream, { leases: adopted.get(stream)?.leases ?? [], isFull: true }]));
      }
    }
    if (turns) reading = streams;
    try {
      return await take(requests, ">", left);
    } catch (error) {
      if (isTransportError(error) && error.delivery === "unknown") maybeLost(streams);
      throw error;
    } finally {
      reading = [];
    }
  };

  const readInTurn = async (
    turns: Mutex,
    requests: readonly FetchRequest[],
    left: () => PrimaryCallOptions,
    { timeoutMs = client.timeoutMs, signal }: PrimaryCallOptions,
  ): Promise<ReadonlyMap<PriorityStream, Taken<Event>>> => {
    const turn = await turns.run(() => read(requests, left), { timeoutMs, signal });
    if (turn) return turn.result;
    if (signal?.aborted) throw abortedError(client.name, signal);
    const why = `Earlier reads took all of its ${timeoutMs} ms (raise \`timeout\`)`;
    throw new TransportError("timeout", why, { transport: client.name, delivery: "none" });
  };

  return {
    read(requests, options) {
      const left = options ? timeLeft(client, options) : (): PrimaryCallOptions => ({});
      return turns ? readInTurn(turns, requests, left, options ?? {}) : read(requests, left);
    },
  };
}

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
