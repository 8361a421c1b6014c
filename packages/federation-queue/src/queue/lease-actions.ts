import type { Command } from "@continuum-cache/core";
import { unwrap } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import type { LeaseRecord } from "./leases.ts";
import { type MessageFields, packDelayed, writeFields } from "./message-fields.ts";
import { type Move, moveCommand } from "./move-script.ts";
import { group, type PriorityStream, type QueueSettings } from "./settings.ts";
import { groupBy, type SettlementBatcher } from "./settlement-batcher.ts";
import type { DeathReason } from "./types.ts";

/** What ends leases, except for acks, and extends them. Each resolves to whether the lease was held. */
export interface LeaseActions {
  nack(record: LeaseRecord, options: { readonly delayMs?: number; readonly reason?: string }): Promise<boolean>;
  release(record: LeaseRecord): Promise<boolean>;
  extend(record: LeaseRecord, durationMs: number): Promise<boolean>;
  /** Extends many leases. @returns those that are no longer held. */
  extendAll(records: readonly LeaseRecord[]): Promise<readonly LeaseRecord[]>;
  /** Moves a message that can't be worked on to the dead letters. */
  deadLetter(stream: PriorityStream, entryId: string, fields: MessageFields, reason: DeathReason): Promise<boolean>;
}

export interface LeaseActionsListener {
  /** A message was moved to the retry stream. */
  retried(): void;
  /** A message was moved to the set of delayed messages. */
  delayed(delayMs: number): void;
  died(id: string, reason: DeathReason): void;
}

export function createLeaseActions(
  client: PrimaryClient,
  { keys, leaseMs, maxAttempts, backoffMs }: QueueSettings,
  consumer: string,
  settlements: SettlementBatcher,
  listener: LeaseActionsListener,
): LeaseActions {
  const move = (record: LeaseRecord, to: Move): Promise<boolean> =>
    new Promise((resolve, reject) => {
      settlements.settle(record, to, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  const retry = async (record: LeaseRecord, fields: MessageFields): Promise<boolean> => {
    const moved = await move(record, moveTo(keys.retry.key, undefined, writeFields(fields)));
    if (moved) listener.retried();
    return moved;
  };
  const backoff = (failures: number): number => {
    const mostMs = Math.min(backoffMs.max, backoffMs.initial * 2 ** Math.min(failures - 1, 40));
    return Math.max(1, Math.round(mostMs * (0.5 + Math.random() / 2)));
  };

  return {
    async nack(record, { delayMs, reason }) {
      const { stream, fields } = record;
      const failures = Number(fields.f) + 1;
      const failed = { ...fields, p: stream.priority ?? fields.p, f: String(failures), d: reason ?? fields.d };
      if (failures >= maxAttempts) {
        const moved = await move(record, moveTo(keys.dead, undefined, writeFields({ ...failed, r: "failed" })));
        if (moved) listener.died(fields.i, "failed");
        return moved;
      }
      const waitMs = delayMs ?? backoff(failures);
      if (waitMs === 0) return retry(record, failed);
      const member = packDelayed({ ...failed, d: failed.d?.replaceAll("\n", " ") });
      const moved = await move(record, moveTo(keys.delayed, waitMs, [member]));
      if (moved) listener.delayed(waitMs);
      return moved;
    },
    release: (record) => retry(record, { ...record.fields, p: record.stream.priority ?? record.fields.p }),
    async extend({ stream, entryId }, durationMs) {
      const idle = durationMs < leaseMs ? ["IDLE", leaseMs - durationMs] : [];
      const claim: Command = ["XCLAIM", stream.key, group, consumer, 0, entryId, ...idle, "JUSTID"];
      const [reply] = await client.send([claim], { together: true });
      return (unwrap(reply) as readonly string[]).includes(entryId);
    },
    async extendAll(records) {
      const byStream = groupBy(records, ({ stream }) => stream);
      const claims = [...byStream].map(([{ key }, ones]): Command => {
        return ["XCLAIM", key, group, consumer, 0, ...ones.map(({ entryId }) => entryId), "JUSTID"];
      });
      // The timeout leaves time for another attempt.
      const replies = await client.send(claims, { timeoutMs: Math.min(client.timeoutMs, Math.ceil(leaseMs / 3)) });
      const extended = new Map(
        [...byStream.keys()].map((stream, at) => [stream, new Set(unwrap(replies[at]) as readonly string[])]),
      );
      return records.filter(({ entryId, stream }) => !extended.get(stream)?.has(entryId));
    },
    async deadLetter(stream, entryId, fields, reason) {
      const words = writeFields({ ...fields, p: stream.priority ?? fields.p, r: reason });
      const [reply] = await client.send([
        moveCommand(stream.key, keys.dead, [{ ...moveTo(keys.dead, undefined, words), entryId }]),
      ]);
      const [moved] = unwrap(reply) as readonly number[];
      if (moved === 1) listener.died(fields.i, reason);
      return moved === 1;
    },
  };
}

const moveTo = (to: string, delayMs: number | undefined, words: readonly string[]): Move => ({
  to,
  delayMs,
  words,
  bytes: words.reduce((sum, { length }) => sum + 3 * length, 0),
});

/** Extends the leases that handlers work on, until they are settled or `extendUntilMs` has passed. */
export interface KeepAlive {
  /** Called before a handler starts; not needed again until `onUntilMs`. */
  start(): void;
  /** By `performance.now()`. */
  readonly onUntilMs: number;
  close(): void;
}

const off = Number.NEGATIVE_INFINITY;

/**
 * @param all - The leases of this process.
 * @param extendAll - Extends leases, and resolves to those that are lost.
 */
export function createKeepAlive(
  leaseMs: number,
  all: () => readonly LeaseRecord[],
  extendAll: (records: readonly LeaseRecord[]) => Promise<readonly LeaseRecord[]>,
  onError: (error: unknown) => void,
): KeepAlive {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let hasFailed = false;

  /** Leases that handlers work on, or have worked on and could not settle. */
  const worked = (): readonly LeaseRecord[] =>
    all().filter(({ extendUntilMs, state }) => extendUntilMs !== undefined && state !== "over");

  const extend = async (records: readonly LeaseRecord[], askedMs: number): Promise<void> => {
    try {
      const lost = new Set(await extendAll(records));
      for (const record of records) {
        if (!lost.has(record)) record.expiresMs = Math.max(record.expiresMs, askedMs + leaseMs);
        else if (record.state === "held") record.lose();
      }
      hasFailed = false;
    } catch (error) {
      // One error event per outage.
      if (!hasFailed) onError(error);
      hasFailed = true;
    }
  };

  const tick = async (): Promise<void> => {
    const askedMs = performance.now();
    const records = worked().filter(({ extendUntilMs = 0 }) => extendUntilMs > askedMs);
    if (records.length > 0) await extend(records, askedMs);
    const nowMs = performance.now();
    // Redis has not said so, but another worker may have these messages by now.
    for (const record of worked()) if (record.expiresMs <= nowMs) record.lose();
    timer = undefined;
    keepAlive.onUntilMs = off;
    if (worked().length > 0) schedule(hasFailed ? leaseMs / 10 : leaseMs / 3);
  };

  const schedule = (ms: number): void => {
    const nowMs = performance.now();
    if (isClosed || nowMs < keepAlive.onUntilMs) return;
    // A timer that is overdue by a third of a lease has vanished with the call that set it.
    keepAlive.onUntilMs = nowMs + ms + leaseMs / 3;
    timer = setTimeout(() => void tick(), ms);
  };

  const keepAlive = {
    onUntilMs: off,
    start: () => schedule(leaseMs / 3),
    close(): void {
      isClosed = true;
      clearTimeout(timer);
    },
  };
  return keepAlive;
}
