import type { Command, Reply } from "@continuum-cache/core";
import { createBackgroundTask } from "@continuum-cache/core/kit";
import { accepted, type Link, type LinkOptions } from "../shared/link.ts";
import { createWake } from "../shared/wake.ts";
import { delayedMember, type Outgoing } from "./outgoing.ts";
import { type AcceptedPushes, createRecentPushes, type RecentPush } from "./recent-pushes.ts";
import type { Sender } from "./sender.ts";
import { createServerWatch } from "./server-watch.ts";
import type { QueueSettings } from "./settings.ts";

/**
 * Remembers for a while what Redis has accepted, and looks, after each interruption, whether it is there still: a replica
 * that takes its primary's place may not have the end of it. What is gone is pushed again, under its own id. A message that
 * came back meanwhile, under another entry, is pushed again too: at least once.
 */
export interface Repair {
  remember(pushes: readonly AcceptedPushes[]): void;
  /** The messages of these ids are done: they are not looked for any more. */
  forget(ids: readonly string[]): void;
  /** The server may be another one now. */
  suspect(): void;
  /** Looks once more, since nobody will later, for so long at most: a server that gives way says nothing to who does not ask. */
  close(withinMs: number): Promise<void>;
}

/** A failover loses the end: where so many in a row are there, the earlier ones are too. */
const page = 50;
const firstPauseMs = 50;
const longestPauseMs = 5_000;

/** @param onRepaired - Told how many pushes were lost, and pushed again. */
export function createRepair(
  link: Link,
  settings: QueueSettings,
  sender: Sender,
  onRepaired: (count: number) => void,
): Repair {
  const { keys } = settings;
  const repairMs = Math.min(settings.repairMs, settings.retentionMs);
  const remembered = createRecentPushes();
  const hurry = createWake();
  let dropAtMs = 0;
  /** When somebody doubted last. */
  let suspectMs = 0;
  /** When the first doubt came up that nobody has looked into yet. */
  let troubleMs: number | undefined;
  /** It may be another server, which nobody has looked at yet: what was accepted before this went to the one before. */
  let beforeMs: number | undefined;
  let isClosing = false;
  let endMs = Number.POSITIVE_INFINITY;

  const isOver = (): boolean => performance.now() >= endMs;
  const asked = (): LinkOptions => {
    return isClosing ? { timeoutMs: Math.max(1, Math.ceil(endMs - performance.now())) } : {};
  };
  const begin = (): void => {
    if (repairMs > 0 && !remembered.isEmpty && !isOver() && !checking.isRunning) checking.start();
  };
  const suspect = (): void => {
    if (repairMs === 0 || remembered.isEmpty) return;
    suspectMs = performance.now();
    troubleMs ??= suspectMs;
    begin();
  };
  /** @param sureMs - When it was last seen to be the one before. */
  const isAnother = (sureMs: number): void => {
    beforeMs ??= Number.isFinite(sureMs) ? sureMs : (troubleMs ?? performance.now());
  };
  const watch = createServerWatch(link, (sureMs) => {
    isAnother(sureMs);
    suspect();
  });

  const oldestMs = (): number => performance.now() - repairMs;
  const dropOld = (): void => remembered.dropBefore(oldestMs());
  const remember: Repair["remember"] = (pushes) => {
    if (repairMs === 0 || pushes.length === 0) return;
    const nowMs = performance.now();
    for (const each of pushes) remembered.add(each, nowMs);
    if (nowMs >= dropAtMs) {
      dropAtMs = nowMs + repairMs / 10;
      dropOld();
    }
    if (nowMs >= watch.touchedUntilMs) watch.touch();
  };

  /** What has a marker of its own was pushed in one step with it. */
  const question = ({ out, entryId }: RecentPush): Command => {
    if (out.isUnique) return ["GET", keys.marker(out.id)];
    return out.delayMs > 0
      ? ["ZSCORE", keys.delayed, delayedMember(out)]
      : ["XRANGE", out.source.key, entryId, entryId];
  };
  const isThere = ({ out }: RecentPush, reply: Reply): boolean =>
    out.isUnique ? reply === out.nonce : reply !== null && !(Array.isArray(reply) && reply.length === 0);

  /** As it was, but due when it was to be. One that was due may have moved to its stream since: it looks for itself there. */
  const again = ({ out, atMs }: RecentPush): Outgoing => {
    const dueMs = atMs + out.delayMs;
    const delayMs = Math.round(dueMs - performance.now());
    if (out.delayMs === 0 || delayMs > 0) return { ...out, delayMs: Math.max(0, delayMs) };
    return { ...out, delayMs: 0, tried: { atMs: dueMs, afterMs: 0 } };
  };

  /** Tells how many of them were lost. */
  const checkPage = async (batch: readonly RecentPush[]): Promise<number> => {
    const replies = await link.send(batch.map(question), asked());
    // One that is done meanwhile is not missed.
    const lost = batch.filter((one, at) => !isThere(one, accepted(replies[at])) && !remembered.isForgotten(one));
    const outs = lost.map(again);
    if (outs.length === 0) return 0;
    const { outcomes, accepted: found } = await sender.send(outs, asked());
    remember(found);
    for (const outcome of outcomes) if (outcome.kind === "refused") throw outcome.error;
    return outcomes.filter((outcome) => outcome.kind === "pushed" && !outcome.wasThere).length;
  };

  /** Looks at all that is remembered: what was accepted since the doubt came up may have gone to the server before, too. */
  const check = async (trustedMs: number): Promise<void> => {
    const suspects = remembered.since(oldestMs());
    let count = 0;
    try {
      for (let at = 0; at < suspects.length; at += page) {
        const lost = await checkPage(suspects.slice(at, at + page));
        count += lost;
        // What was accepted since may have come after the loss, and says nothing of it.
        const oldest = suspects[Math.min(at + page, suspects.length) - 1];
        if (lost === 0 && oldest && oldest.atMs < trustedMs) break;
      }
    } finally {
      if (count > 0) onRepaired(count);
    }
  };

  /** Whether it is another server; where it does not say who it is, doubt is enough. */
  const isOther = async (): Promise<boolean> => {
    const seen = await watch.look(asked());
    return seen === "changed" || (seen === "unknown" && troubleMs !== undefined);
  };
  const checkOnce = async (): Promise<void> => {
    const { sureMs } = watch;
    const lookedMs = performance.now();
    if (beforeMs === undefined && (await isOther())) isAnother(sureMs);
    if (beforeMs === undefined) return;
    await check(beforeMs);
    // Answers of the server before may have been on their way, for as long as a call may take.
    if (!isClosing) {
      await hurry.wait(link.timeoutMs);
      await check(lookedMs);
    }
    beforeMs = undefined;
  };
  const checking = createBackgroundTask(async (isCurrent) => {
    let pauseMs = isClosing ? 0 : firstPauseMs;
    while (!remembered.isEmpty && !isOver() && isCurrent()) {
      const suspectedMs = suspectMs;
      await hurry.wait(pauseMs * (0.5 + Math.random()));
      try {
        await checkOnce();
        if (suspectMs === suspectedMs) break;
        pauseMs = firstPauseMs;
      } catch {
        // Redis is away still, or refuses: it is looked at again.
        pauseMs = isClosing ? firstPauseMs : Math.min(Math.max(2 * pauseMs, firstPauseMs), longestPauseMs);
      }
      dropOld();
    }
    if (!isCurrent()) return;
    beforeMs = undefined;
    troubleMs = undefined;
  });

  return {
    remember,
    forget: remembered.forget,
    suspect,
    async close(withinMs) {
      isClosing = true;
      endMs = performance.now() + withinMs;
      await watch.close();
      hurry.wake();
      begin();
      await checking.idle();
    },
  };
}
