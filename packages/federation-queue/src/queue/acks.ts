import {
  type Command,
  createPauses,
  createSingleRun,
  errorOf,
  hasLastingTimers,
  isUnanswered,
  type Reply,
  TransportError,
} from "@continuum-cache/core";
import { isLater } from "./entry-id.ts";
import { infoRows } from "./info-rows.ts";
import type { Held } from "./leases.ts";
import { accepted, type Link } from "./link.ts";
import { group, groupBySource, type Source } from "./queue-keys.ts";

/** Acks that are asked for while a trip is under way travel with the next. */
export interface Acks {
  /** Calls back once, with whether the lease was held, or with a TransportError when nobody knows. */
  ack(held: Held, settled: Settled): void;
  /** No more attempts: what is under way is waited for. */
  close(): Promise<void>;
}

/** A callback, since a promise for each message would be dear. */
export type Settled = (outcome: boolean | Error) => void;

interface Asked {
  readonly held: Held;
  readonly endsMs: number;
  readonly settled: Settled;
  isDone: boolean;
}

const maxPerTrip = 400;
const retryMs = 100;

/** @param onDone - Told of each message that is done. */
export function createAcks(link: Link, onDone: (held: Held) => void): Acks {
  const pauses = createPauses();
  const waiting: Asked[] = [];
  /** Those that are on their way; what stays here has been left by a call that has vanished. */
  const sent = new Set<Asked>();

  const answer = (asked: Asked, outcome: boolean | Error): void => {
    // A run that was taken over may come to an end all the same.
    if (asked.isDone) return;
    asked.isDone = true;
    if (outcome === true) onDone(asked.held);
    asked.settled(outcome);
  };

  /** What may be tried again. */
  const fail = (asked: readonly Asked[], error: unknown): readonly Asked[] => {
    const outage = isUnanswered(error) ? error : undefined;
    if (outage?.delivery === "unknown") for (const { held } of asked) held.isDoubtful = true;
    const nextMs = performance.now() + retryMs;
    const isLeft = ({ endsMs }: Asked): boolean => outage !== undefined && !pauses.isEnded && endsMs > nextMs;
    for (const one of asked) {
      if (isLeft(one)) continue;
      const mayBeDone = outage?.delivery === "none" && one.held.isDoubtful;
      answer(one, mayBeDone ? unknownError(link.name, one.held.lease.id) : errorOf(error));
    }
    return asked.filter(isLeft);
  };

  const settle = async (source: Source, asked: readonly Asked[]): Promise<void> => {
    let left = asked;
    while (left.length > 0) {
      const timeoutMs = Math.max(1, Math.ceil(Math.min(...left.map(({ endsMs }) => endsMs)) - performance.now()));
      const batch = left.map(({ held }) => held);
      try {
        const were = await attempt(link, source, batch, timeoutMs);
        for (const [at, one] of left.entries()) answer(one, were[at] ?? unknownError(link.name, one.held.lease.id));
        return;
      } catch (error) {
        left = fail(left, error);
        if (left.length > 0) await pauses.wait(retryMs, undefined);
      }
    }
  };

  const sending = createSingleRun(async (isCurrent) => {
    takeBack();
    // Acks of one tick travel together.
    await Promise.resolve();
    while (waiting.length > 0 && isCurrent()) {
      const batch = waiting.splice(0, maxPerTrip);
      for (const one of batch) sent.add(one);
      const bySource = groupBySource(batch, ({ held }) => held.source);
      await Promise.all([...bySource].map(([source, asked]) => settle(source, asked)));
      for (const one of batch) sent.delete(one);
    }
  });
  /** What a run had sent whose call has vanished may have been done, and is asked for again. */
  const takeBack = (): void => {
    const nowMs = performance.now();
    for (const one of sent) {
      one.held.isDoubtful = true;
      if (one.endsMs > nowMs) waiting.unshift(one);
      else answer(one, unknownError(link.name, one.held.lease.id));
    }
    sent.clear();
  };

  return {
    ack(held, settled) {
      const asked: Asked = { held, endsMs: performance.now() + link.timeoutMs, settled, isDone: false };
      waiting.push(asked);
      sending.start();
      if (!hasLastingTimers()) void sending.attend(() => asked.isDone, { timeoutMs: link.timeoutMs });
    },
    async close() {
      pauses.end();
      await sending.idle();
    },
  };
}

/** Whether each was held; undefined where an earlier attempt may have done it, or another process may have the lease. */
async function attempt(
  link: Link,
  { key }: Source,
  batch: readonly Held[],
  timeoutMs: number,
): Promise<readonly (boolean | undefined)[]> {
  const acking: Command = ["XACK", key, group, ...batch.map(({ entryId }) => entryId)];
  const [reply] = await link.send([acking], { timeoutMs });
  const count = Number(accepted(reply));
  if (count === batch.length) return batch.map(() => true);
  // A count does not say which; what has become of the entries does.
  try {
    return await wereDone(link, key, batch, count, timeoutMs);
  } catch (error) {
    if (count > 0) for (const held of batch) held.isDoubtful = true;
    throw error;
  }
}

/**
 * An entry that was given out, is there still and has no lease has been acked, and only its holder can have done it: a request
 * may arrive twice, and an answer get lost. A message that has got another lease has another entry.
 *
 * @param count - How many of them this attempt has acked.
 */
async function wereDone(
  link: Link,
  key: string,
  batch: readonly Held[],
  count: number,
  timeoutMs: number,
): Promise<readonly (boolean | undefined)[]> {
  const [groups, ...found] = await link.send(
    [["XINFO", "GROUPS", key], ...batch.map(({ entryId }): Command => ["XRANGE", key, entryId, entryId])],
    { timeoutMs },
  );
  const last = String(infoRows(accepted(groups)).find(({ name }) => name === group)?.["last-delivered-id"] ?? "0-0");
  const isThere = batch.map((_, at) => (accepted(found[at]) as readonly Reply[]).length > 0);
  const isDoneHere = batch.map(({ entryId }, at) => isThere[at] === true && !isLater(entryId, last));
  // Some of those that are gone were among the acked ones: the process that tends the queue has deleted them since.
  const someWereDone = count > isDoneHere.filter(Boolean).length;
  return batch.map((held, at) => {
    if (isThere[at]) return isDoneHere[at];
    held.isDoubtful ||= someWereDone;
    return wasDoneBefore(held);
  });
}

/**
 * What is gone after an attempt that nobody knows the outcome of was done by that attempt, as long as nobody else can have
 * it. Later nobody can tell.
 */
function wasDoneBefore(held: Held): boolean | undefined {
  if (!held.isDoubtful) return false;
  return performance.now() < held.expiresMs ? true : undefined;
}

const unknownError = (transport: string, id: string): TransportError =>
  new TransportError(
    "unreachable",
    `It is not known whether message "${id}" is done: no answer told in time what became of its ack; it may come again`,
    { transport },
  );
