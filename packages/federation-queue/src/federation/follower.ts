import { type Events, isCommandError, isTransportError } from "@continuum-cache/core";
import { createCancellableSleep, toError } from "@continuum-cache/core/kit";
import type { LogEntry, LogGap } from "../log/types.ts";
import type { Applier } from "./applier.ts";
import { type CacheChange, readCacheChange } from "./cache-change.ts";
import type { PatternMarks } from "./pattern-marks.ts";
import type { FederationSettings } from "./settings.ts";
import type { FederationEvents } from "./types.ts";

/** Follows the log and applies what comes, until it is closed. */
export interface Follower {
  /** Whether changes are being applied. */
  readonly isBusy: boolean;
  /** Resolves when all that was being applied is. */
  drained(): Promise<void>;
  /** Applies a change as if it had come now. */
  again(change: CacheChange, origin: string): void;
  close(): Promise<void>;
}

/** So many changes are applied at the same time: what they do does not depend on their order. */
const mostAtOnce = 100;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

export function startFollower(
  { cache, log, from }: FederationSettings,
  applier: Applier,
  marks: PatternMarks | undefined,
  emit: Events<FederationEvents>["emit"],
): Follower {
  const pauses = createCancellableSleep();
  const ending = new AbortController();
  let applying = 0;
  /** Something was not applied: nothing behind it is committed. */
  let isStopped = false;
  /** Applied and committed in the order in which they came. It never rejects. */
  let tail: Promise<void> = Promise.resolve();

  const failed = (operation: string, error: unknown): void => emit("error", { operation, error: toError(error) });

  /** Tries until it is done, or can never be, or all is over; tells whether it is over before it was done. */
  const insist = async (
    operation: string,
    work: () => Promise<void>,
    onAway?: () => Promise<void>,
  ): Promise<boolean> => {
    let pauseMs = firstPauseMs;
    let isTold = false;
    while (!pauses.isEnded) {
      try {
        await work();
        return false;
      } catch (error) {
        if (!isTold && !pauses.isEnded) failed(operation, error);
        if (!isTransportError(error) && !isCommandError(error)) return false;
        // A transport that is closed stays so.
        if (isTransportError(error) && error.kind === "closed") return true;
        if (!isTold) await onAway?.().catch((failure: unknown) => failed(operation, failure));
        isTold = true;
        await pauses.wait(pauseMs * (0.5 + Math.random()), undefined);
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
    }
    return true;
  };

  const applyOne = async (change: CacheChange, origin: string): Promise<boolean> => {
    applying++;
    try {
      return await insist(
        "apply",
        () => applier.apply(change, origin),
        // Whoever answers in the primary's place must not go on serving it until then.
        async () => {
          if (cache.currentBackend === "local") await applier.forgetHere(change);
        },
      );
    } finally {
      applying--;
    }
  };

  const finish = async (entry: LogEntry, work: Promise<boolean>, before: Promise<void>): Promise<void> => {
    const isOver = await work;
    await before;
    // Given again to whoever goes on.
    if (isOver || isStopped) {
      isStopped = true;
      return;
    }
    try {
      await entry.commit();
      emit("applied", { origin: entry.origin, seq: entry.seq });
    } catch (error) {
      failed("commit", error);
    }
  };
  const handle = async (entry: LogEntry): Promise<void> => {
    const change = readCacheChange(entry.event);
    const isAlone = change?.type === "fed.invalidate";
    // What is older must not come after it.
    if (isAlone || applying >= mostAtOnce) await tail;
    const work = change ? applyOne(change, entry.origin) : Promise.resolve(false);
    tail = finish(entry, work, tail);
    if (isAlone) await tail;
  };

  const resync = async (gap: LogGap): Promise<void> => {
    await tail;
    const isOver = await insist("resync", () => applier.clear());
    if (isOver) throw new Error("The federation was closed before the gap could be mended");
    emit("gap", gap);
  };

  const run = async (): Promise<void> => {
    let pauseMs = firstPauseMs;
    if (marks && (await insist("load", () => marks.load()))) return;
    while (!ending.signal.aborted) {
      try {
        for await (const entry of log.follow({ signal: ending.signal, from, resync })) {
          pauseMs = firstPauseMs;
          await handle(entry);
        }
        return;
      } catch (error) {
        if (ending.signal.aborted) return;
        failed("follow", error);
        if (isTransportError(error) && error.kind === "closed") return;
        await pauses.wait(pauseMs * (0.5 + Math.random()), undefined);
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
    }
  };
  const running = run();

  return {
    get isBusy() {
      return applying > 0;
    },
    drained: () => tail,
    again(change, origin) {
      const before = tail;
      tail = applyOne(change, origin).then(() => before);
    },
    async close() {
      ending.abort();
      pauses.end();
      await running;
      await tail;
    },
  };
}
