import {
  type Command,
  createPauses,
  createSingleRun,
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
  /** Tells whether the lease was held. @throws TransportError when nobody knows. */
  ack(held: Held): Promise<boolean>;
  /** No more attempts: what is under way is waited for. */
  close(): Promise<void>;
}

interface Asked {
  readonly held: Held;
  readonly endsMs: number;
  resolve(wasHeld: boolean): void;
  reject(error: unknown): void;
}

const maxPerTrip = 400;
const retryMs = 100;

/** @param onDone - Told of each message that is done. */
export function createAcks(link: Link, consumer: string, onDone: (held: Held) => void): Acks {
  const pauses = createPauses();
  const waiting: Asked[] = [];
  /** Those that are on their way; what stays here has been left by a call that has vanished. */
  const sent = new Set<Asked>();

  /** Whether each was held; undefined where an earlier attempt may have done it, or somebody may have it. */
  const attempt = async (
    { key }: Source,
    batch: readonly Held[],
    timeoutMs: number,
  ): Promise<readonly (boolean | undefined)[]> => {
    const ids = batch.map(({ entryId }) => entryId);
    const acking: Command = ["XACK", key, group, ...ids];
    let were: ReadonlySet<string>;
    if (ids.length === 1) {
      const [count] = await link.send([acking], { timeoutMs });
      were = new Set(accepted(count) === 1 ? ids : []);
    } else {
      // A count does not say which. What is claimed begins its time anew, so nobody takes it in between.
      const claiming: Command = ["XCLAIM", key, group, consumer, 0, ...ids, "JUSTID"];
      const [claimed, count] = await link.send([claiming, acking], { timeoutMs });
      were = new Set(accepted(claimed) as readonly string[]);
      accepted(count);
    }
    const done = await wereDone(
      key,
      batch.filter(({ entryId }) => !were.has(entryId)),
      timeoutMs,
    );
    return batch.map((held) => were.has(held.entryId) || done.get(held));
  };

  /**
   * What was given out, is there still and is nobody's has been acked, and only its holder can have done it: a request may
   * arrive twice, and an answer get lost. What has got another lease is gone.
   */
  const wereDone = async (
    key: string,
    missing: readonly Held[],
    timeoutMs: number,
  ): Promise<ReadonlyMap<Held, boolean | undefined>> => {
    if (missing.length === 0) return new Map();
    const [groups, ...found] = await link.send(
      [["XINFO", "GROUPS", key], ...missing.map(({ entryId }): Command => ["XRANGE", key, entryId, entryId])],
      { timeoutMs },
    );
    const last = String(infoRows(accepted(groups)).find(({ name }) => name === group)?.["last-delivered-id"] ?? "0-0");
    return new Map(
      missing.map((held, at) => {
        const isThere = (accepted(found[at]) as readonly Reply[]).length > 0;
        return [held, isThere ? !isLater(held.entryId, last) : wasDoneBefore(held)];
      }),
    );
  };

  const answer = ({ held, resolve, reject }: Asked, wasHeld: boolean | undefined): void => {
    if (wasHeld) onDone(held);
    if (wasHeld === undefined) reject(unknownError(link.name, held.lease.id));
    else resolve(wasHeld);
  };

  /** What may be tried again. */
  const fail = (asked: readonly Asked[], error: unknown): readonly Asked[] => {
    const outage = isUnanswered(error) ? error : undefined;
    if (outage?.delivery === "unknown") for (const { held } of asked) held.isDoubtful = true;
    const nextMs = performance.now() + retryMs;
    const isLeft = ({ endsMs }: Asked): boolean => outage !== undefined && !pauses.isEnded && endsMs > nextMs;
    for (const one of asked) if (!isLeft(one)) one.reject(error);
    return asked.filter(isLeft);
  };

  const settle = async (source: Source, asked: readonly Asked[]): Promise<void> => {
    let left = asked;
    while (left.length > 0) {
      const timeoutMs = Math.max(1, Math.ceil(Math.min(...left.map(({ endsMs }) => endsMs)) - performance.now()));
      const batch = left.map(({ held }) => held);
      try {
        const were = await attempt(source, batch, timeoutMs);
        for (const [at, one] of left.entries()) answer(one, were[at]);
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
      else one.reject(unknownError(link.name, one.held.lease.id));
    }
    sent.clear();
  };

  return {
    ack(held) {
      return new Promise((onResolve, onReject) => {
        let isDone = false;
        const asked: Asked = {
          held,
          endsMs: performance.now() + link.timeoutMs,
          resolve(wasHeld) {
            isDone = true;
            onResolve(wasHeld);
          },
          reject(error) {
            isDone = true;
            onReject(error);
          },
        };
        waiting.push(asked);
        sending.start();
        void sending.attend(() => isDone, { timeoutMs: link.timeoutMs });
      });
    },
    async close() {
      pauses.end();
      await sending.idle();
    },
  };
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
    `Nobody knows whether message "${id}" is done: the answer to its ack was lost, and its lease has ended meanwhile`,
    { transport },
  );
