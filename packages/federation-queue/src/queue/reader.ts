import { type Command, isCommandError, isTransportError, TransportError } from "@continuum-cache/core";
import { createMutex, hasLastingTimers, unwrap } from "@continuum-cache/core/kit";
import { type PrimaryCallOptions, type PrimaryClient, timeLeft } from "../shared/primary-client.ts";
import type { FetchRequest } from "./fetch-planner.ts";
import { type LeaseRecord, type Leases, maxInFlight } from "./leases.ts";
import type { StreamEntry } from "./message-fields.ts";
import { group, type PriorityStream, type QueueKeys } from "./queue-keys.ts";

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

  return {
    async read(requests, options) {
      const left = options ? timeLeft(client, options) : (): PrimaryCallOptions => ({});
      if (!turns) return read(requests, left);
      const { timeoutMs = client.timeoutMs, signal } = options ?? {};
      const turn = await turns.run(() => read(requests, left), { timeoutMs, signal });
      if (turn) return turn.result;
      const [kind, why] = signal?.aborted
        ? (["aborted", "The call was aborted by its signal"] as const)
        : (["timeout", `Earlier reads took all of its ${timeoutMs} ms (raise \`timeout\`)`] as const);
      throw new TransportError(kind, why, { transport: client.name, delivery: "none", cause: signal?.reason });
    },
  };
}
