import { createBackgroundTask } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../../shared/primary-client.ts";
import { createWake } from "../../shared/wake.ts";
import type { AcceptedPushes } from "../accepted-pushes.ts";
import type { LeaseRecord } from "../leases.ts";
import type { Sender } from "../sender.ts";
import type { QueueSettings } from "../settings.ts";
import { createAckedEntries } from "./acked-entries.ts";
import { createLossCheck } from "./loss-check.ts";
import { createRecentPushes } from "./recent-pushes.ts";
import { createServerWatch } from "./server-watch.ts";

/** What the queue reports to the repair. */
export interface RepairHooks {
  /** Redis has accepted these pushes. */
  accepted(pushes: readonly AcceptedPushes[]): void;
  /** These messages are done: their absence is no loss. */
  acked(leases: readonly LeaseRecord[]): void;
  /** A request got no answer, or notifications may have been missed: another server may answer from now on. */
  interrupted(): void;
}

/**
 * Repairs lossy failovers: a replica that is promoted may lack the latest writes. The repair remembers accepted pushes
 * for a while, looks after each interruption whether another server answers, and pushes again what is missing there,
 * under its own id. A message that has moved to another entry in the meantime is pushed again too: delivery is at least
 * once.
 */
export interface Repair extends RepairHooks {
  /** Checks one last time, for at most this long: an idle client does not notice a failover by itself. */
  close(withinMs: number): Promise<void>;
  /** Deletes the entries of acked messages that are left. Never rejects. */
  flush(): Promise<void>;
}

const firstPauseMs = 50;
const longestPauseMs = 5_000;

/** @param onRepaired - Called with how many pushes were lost, and are in Redis again. */
export function createRepair(
  client: PrimaryClient,
  settings: QueueSettings,
  sender: Sender,
  onRepaired: (count: number) => void,
): Repair {
  const windowMs = Math.min(settings.repairMs, settings.retentionMs);
  const recent = createRecentPushes();
  const ackedEntries = createAckedEntries(client, settings.repairMs);
  const checkLosses = createLossCheck(client, settings.keys, sender, recent, onRepaired);
  const closed = createWake();
  let nextDropMs = 0;
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
  const watch = createServerWatch(client, (confirmedMs) => {
    serverChanged(confirmedMs);
    interrupted();
  });

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
    accepted(pushes) {
      if (windowMs === 0) return;
      const nowMs = performance.now();
      for (const each of pushes) recent.add(each, nowMs);
      if (nowMs >= nextDropMs) {
        nextDropMs = nowMs + windowMs / 10;
        recent.dropBefore(oldestMs());
      }
      if (nowMs >= watch.touchedUntilMs) watch.touch();
    },
    acked(leases) {
      ackedEntries.add(leases);
      recent.forget(leases.map(({ fields }) => fields.i));
    },
    interrupted,
    async close(withinMs) {
      deadlineMs = performance.now() + withinMs;
      await watch.close();
      closed.wake();
      start();
      await checking.idle();
    },
    flush: ackedEntries.flush,
  };
}
