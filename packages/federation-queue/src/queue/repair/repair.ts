import type { Command, Reply } from "@continuum-cache/core";
import { createBackgroundTask, createCancellableSleep, unwrap } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../../shared/primary-client.ts";
import { createWake } from "../../shared/timing.ts";
import { delayedMember, type PendingPush } from "../pending-push.ts";
import type { Sender } from "../sender.ts";
import type { QueueKeys, QueueSettings } from "../settings.ts";
import { createRepairMemory, type RecentPush, type RecentPushes, type RepairMemory } from "./recent-pushes.ts";

/**
 * Repairs lossy failovers: a replica that is promoted may lack the latest writes. The repair remembers accepted pushes
 * for a while, looks after each interruption whether another server answers, and pushes again what is missing there,
 * under its own id. A message that has moved to another entry in the meantime is pushed again too: delivery is at least
 * once.
 */
export interface Repair extends Omit<RepairMemory, "windowMs" | "recent"> {
  /** A request got no answer, or notifications may have been missed: another server may answer from now on. */
  interrupted(): void;
  /** Checks one last time, for at most this long: an idle client does not notice a failover by itself. */
  close(withinMs: number): Promise<void>;
}

const firstPauseMs = 50;
const longestPauseMs = 5_000;

/** @param onRepaired - Called with how many pushes were lost, and are in Redis again. */
export function createRepair(
  client: PrimaryClient,
  settings: QueueSettings,
  send: Sender["send"],
  onRepaired: (count: number) => void,
): Repair {
  const watch = createServerWatch(client, (confirmedMs) => {
    serverChanged(confirmedMs);
    interrupted();
  });
  const memory = createRepairMemory(client, settings, watch);
  const { windowMs, recent } = memory;
  const checkLosses = createLossCheck(client, settings.keys, send, recent, onRepaired);
  const closed = createWake();
  /** The latest interruption. */
  let interruptedMs = 0;
  /** The first interruption that no check has looked into. */
  let doubtedMs: number | undefined;
  /**
   * Set once another server answers, until its entries are checked: pushes accepted before this went to the previous
   * one.
   */
  let trustedMs: number | undefined;
  /** Set by `close`. */
  let deadlineMs: number | undefined;

  const isOver = (): boolean => deadlineMs !== undefined && performance.now() >= deadlineMs;
  const callOptions = (): PrimaryCallOptions =>
    deadlineMs === undefined ? {} : { timeoutMs: Math.max(1, Math.ceil(deadlineMs - performance.now())) };
  const oldestMs = (): number => performance.now() - windowMs;

  const start = (): void => {
    if (windowMs > 0 && !recent.isEmpty && !isOver() && !checking.isRunning) checking.start();
  };
  const interrupted = (): void => {
    if (windowMs === 0 || recent.isEmpty) return;
    interruptedMs = performance.now();
    doubtedMs ??= interruptedMs;
    start();
  };
  /** @param confirmedMs - When the previous server was last confirmed. */
  const serverChanged = (confirmedMs: number): void => {
    trustedMs ??= Number.isFinite(confirmedMs) ? confirmedMs : (doubtedMs ?? performance.now());
  };

  const checkOnce = async (): Promise<void> => {
    const { confirmedMs } = watch;
    const lookedMs = performance.now();
    if (trustedMs === undefined) {
      const seen = await watch.look(callOptions());
      // A server that does not tell its id may be another one after any interruption.
      if (seen === "changed" || (seen === "unknown" && doubtedMs !== undefined)) serverChanged(confirmedMs);
    }
    if (trustedMs === undefined) return;
    await checkLosses(oldestMs(), trustedMs, callOptions);
    // For one timeout answers of the previous server may still arrive: a second check covers those pushes.
    if (deadlineMs === undefined) {
      await closed.wait(client.timeoutMs);
      await checkLosses(oldestMs(), lookedMs, callOptions);
    }
    trustedMs = undefined;
  };
  const checking = createBackgroundTask(async (isCurrent) => {
    let pauseMs = deadlineMs === undefined ? firstPauseMs : 0;
    while (!recent.isEmpty && !isOver() && isCurrent()) {
      const startedAtMs = interruptedMs;
      await closed.wait(pauseMs * (0.5 + Math.random()));
      try {
        await checkOnce();
        if (interruptedMs === startedAtMs) break;
        pauseMs = firstPauseMs;
      } catch {
        // Redis does not answer yet, or refuses: the next attempt checks again.
        const doubledMs = Math.min(Math.max(2 * pauseMs, firstPauseMs), longestPauseMs);
        pauseMs = deadlineMs === undefined ? doubledMs : firstPauseMs;
      }
      recent.dropBefore(oldestMs());
    }
    if (!isCurrent()) return;
    trustedMs = undefined;
    doubtedMs = undefined;
  });

  return {
    accepted: memory.accepted,
    acked: memory.acked,
    interrupted,
    async close(withinMs) {
      deadlineMs = performance.now() + withinMs;
      await watch.close();
      closed.wake();
      start();
      await checking.idle();
    },
    flush: memory.flush,
  };
}

/** A failover loses the end: if a whole page of pushes is there, the earlier ones are too. */
const page = 50;

/**
 * Looks up recent pushes in Redis, and pushes the missing ones again, under their own ids: those that were accepted
 * since `sinceMs`, the latest first. Pushes accepted after `trustedMs` may have gone to the new server, after the loss:
 * it ends with the first complete page of pushes that are older than that.
 *
 * @throws TransportError or CommandError when Redis does not answer or refuses; what was found until then is pushed
 *   again.
 */
type LossCheck = (sinceMs: number, trustedMs: number, options: () => PrimaryCallOptions) => Promise<void>;

/** @param onRepaired - Called with how many pushes were lost, and are in Redis again. */
function createLossCheck(
  client: PrimaryClient,
  keys: QueueKeys,
  send: Sender["send"],
  recent: RecentPushes,
  onRepaired: (count: number) => void,
): LossCheck {
  /** @returns how many of them were lost. */
  const checkPage = async (batch: readonly RecentPush[], options: () => PrimaryCallOptions): Promise<number> => {
    const replies = await client.send(
      batch.map((one) => lookup(one, keys)),
      options(),
    );
    // A message that was done in the meantime is not missing.
    const lost = batch.filter((one, at) => !isThere(one, unwrap(replies[at])) && !recent.isForgotten(one));
    if (lost.length === 0) return 0;
    const outcomes = await send(lost.map(repeatedPush), options());
    for (const outcome of outcomes) if (outcome.kind === "refused") throw outcome.error;
    return outcomes.filter((outcome) => outcome.kind === "pushed" && !outcome.wasThere).length;
  };

  return async (sinceMs, trustedMs, options) => {
    const suspects = recent.since(sinceMs);
    let count = 0;
    try {
      for (let at = 0; at < suspects.length; at += page) {
        const batch = suspects.slice(at, at + page);
        const lost = await checkPage(batch, options);
        count += lost;
        const oldest = batch.at(-1);
        if (lost === 0 && oldest && oldest.atMs < trustedMs) break;
      }
    } finally {
      if (count > 0) onRepaired(count);
    }
  };
}

/** A marker stands for its message: the script writes both in one step. */
function lookup({ push, entryId }: RecentPush, keys: QueueKeys): Command {
  if (push.isUnique) return ["GET", keys.marker(push.id)];
  if (push.delayMs > 0) return ["ZSCORE", keys.delayed, delayedMember(push)];
  return ["XRANGE", push.stream.key, entryId, entryId];
}

const isThere = ({ push }: RecentPush, reply: Reply): boolean =>
  push.isUnique ? reply === push.nonce : reply !== null && !(Array.isArray(reply) && reply.length === 0);

/**
 * The same push, due at the same time. A delayed one that is overdue may be in its stream: the script searches there.
 */
function repeatedPush({ push, atMs }: RecentPush): PendingPush {
  const dueMs = atMs + push.delayMs;
  const delayMs = Math.round(dueMs - performance.now());
  if (push.delayMs === 0 || delayMs > 0) return { ...push, delayMs: Math.max(0, delayMs) };
  return { ...push, delayMs: 0, uncertain: { atMs: dueMs, afterMs: 0 } };
}

/** Upstash does not bill INFO. */
const everyMs = 10_000;
const untouched = Number.NEGATIVE_INFINITY;

/**
 * Detects that another server answers: a promoted replica, or a primary that restarted, has another replication id. It
 * asks regularly while there are pushes and once after the last one, since a client may reconnect without telling, and
 * HTTP has no connection at all.
 *
 * @param onChanged - Called when a regular check found another server: with when the previous one was last confirmed.
 */
function createServerWatch(client: PrimaryClient, onChanged: (confirmedMs: number) => void) {
  const pauses = createCancellableSleep();
  let replicationId: string | undefined;

  /** "unknown" if the server does not tell its id, or is asked for the first time. @throws TransportError */
  const look = async (options: PrimaryCallOptions = {}): Promise<"same" | "changed" | "unknown"> => {
    const askedMs = performance.now();
    const [info] = await client.send([["INFO", "replication"]], options);
    const found = typeof info === "string" ? /^master_replid:(\w+)/m.exec(info)?.[1] : undefined;
    if (found === undefined) return "unknown";
    const known = replicationId;
    replicationId = found;
    watch.confirmedMs = askedMs;
    if (known === undefined) return "unknown";
    return known === found ? "same" : "changed";
  };

  const watching = createBackgroundTask(async (isCurrent) => {
    let isLast = false;
    while (!isLast && !pauses.isEnded && isCurrent()) {
      isLast = watch.touchedUntilMs === untouched;
      watch.touchedUntilMs = untouched;
      const beforeMs = watch.confirmedMs;
      try {
        if ((await look()) === "changed") onChanged(beforeMs);
      } catch {
        // The failed request has already called the repair hook `interrupted`.
      }
      if (!isLast) await pauses.wait(everyMs, undefined);
    }
  });

  const watch = {
    /** When the present server was last confirmed, by `performance.now()`; -Infinity: never. */
    confirmedMs: Number.NEGATIVE_INFINITY,
    /** Until then no further call of `touch` is needed, by `performance.now()`. */
    touchedUntilMs: untouched,
    /** A push was accepted. */
    touch(): void {
      // Each touch prolongs the watch. On the edge, where the call that started it may vanish, a later push restarts
      // it.
      watch.touchedUntilMs = performance.now() + everyMs;
      if (!pauses.isEnded && !watching.isRunning) watching.start();
    },
    look,
    async close(): Promise<void> {
      pauses.end();
      await watching.idle();
    },
  };
  return watch;
}
