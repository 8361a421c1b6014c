import { type Events, isTransportError } from "@continuum-cache/core";
import { createBackgroundTask, createCancellableSleep, isUnanswered } from "@continuum-cache/core/kit";
import type { AppendOptions } from "../log/options.ts";
import { createWake } from "../shared/wake.ts";
import type { CacheChange } from "./cache-change.ts";
import type { FederationSettings } from "./settings.ts";
import type { FederationEvents } from "./types.ts";

/** Tells the others what was changed here: each change, or, where that can't be, more than it. */
export interface Teller {
  /** What is owed to the others, kept in this process only. */
  readonly owed: number;
  /**
   * Resolves when the log has the changes, or keeps them in its outbox, or owes them as one invalidation of everything.
   *
   * @throws what the log's `append` throws otherwise: the others are not told then.
   */
  tell(changes: readonly CacheChange[], options: AppendOptions): Promise<void>;
  /** These keys' changes can't be told as they are: they will be deleted, here too. */
  owe(keys: readonly string[]): void;
  /** One last try; what remains is lost with this process. @returns how much. */
  close(): Promise<number>;
}

/** What is owed is told by these. */
export interface Settling {
  /** Deletes everything in scope here, if it has to be, and tells how to tell it. */
  everything(isHereToo: boolean): Promise<CacheChange>;
  /** Deletes the keys here, for good, and tells how to tell it. */
  keys(keys: readonly string[]): Promise<readonly CacheChange[]>;
}

const mostOwedKeys = 10_000;
const mostPerTrip = 500;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

export function createTeller(
  { log }: FederationSettings,
  settling: Settling,
  emit: Events<FederationEvents>["emit"],
): Teller {
  const owedKeys = new Set<string>();
  let owesEverything: "nothing" | "there" | "here too" = "nothing";
  const pauses = createCancellableSleep();
  const wake = createWake();
  const owed = (): number => owedKeys.size + (owesEverything === "nothing" ? 0 : 1);

  const append = async (changes: readonly CacheChange[], options: AppendOptions): Promise<void> => {
    if (changes.length === 0) return;
    try {
      await log.appendMany(changes, options);
    } catch (error) {
      const [only] = changes;
      const isLeast = changes.length === 1 && only?.type === "fed.invalidate" && !only.globs;
      if (!isTooLarge(error) || isLeast) throw error;
      // One by one; and less of the one that is too large, or something coarser, is as good.
      const parts = changes.length > 1 ? changes.map((change) => [change]) : changes.map(shrunk);
      for (const part of parts) await append(part, options);
    }
  };

  const settle = async (): Promise<void> => {
    if (owesEverything !== "nothing") {
      const before = owesEverything;
      await append([await settling.everything(before === "here too")], {});
      // It may have become more meanwhile.
      if (owesEverything === before) owesEverything = "nothing";
    }
    const keys = [...owedKeys].slice(0, mostPerTrip);
    if (keys.length === 0) return;
    for (const key of keys) owedKeys.delete(key);
    try {
      await append(await settling.keys(keys), {});
    } catch (error) {
      for (const key of keys) owedKeys.add(key);
      throw error;
    }
  };
  const running = createBackgroundTask(async (isCurrent) => {
    let pauseMs = firstPauseMs;
    let isTold = false;
    // Whatever has just failed is not asked for again at once.
    await wake.wait(firstPauseMs);
    while (owed() > 0 && isCurrent()) {
      try {
        await settle();
        pauseMs = firstPauseMs;
      } catch (error) {
        if (!isTold && !isUnanswered(error)) emit("error", { operation: "tell", error: error as Error });
        isTold = true;
        if (pauses.isEnded) break;
        await wake.wait(pauseMs * (0.5 + Math.random()));
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
    }
  });
  const start = (): void => {
    if (!pauses.isEnded) running.start();
  };

  return {
    get owed() {
      return owed();
    },
    async tell(changes, options) {
      try {
        await append(changes, options);
      } catch (error) {
        // The log keeps what it can: if it could not, there is no room.
        if (options.fallback === false || !isUnanswered(error)) throw error;
        if (owesEverything === "nothing") {
          owesEverything = "there";
          emit("owed", { keys: "everything" });
        }
        start();
      }
    },
    owe(keys) {
      for (const key of keys) owedKeys.add(key);
      if (owedKeys.size > mostOwedKeys) {
        owedKeys.clear();
        owesEverything = "here too";
        emit("owed", { keys: "everything" });
      } else emit("owed", { keys: keys.length });
      start();
    },
    async close() {
      pauses.end();
      wake.wake();
      await running.idle();
      return owed();
    },
  };
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof RangeError || (isTransportError(error) && error.kind === "too-large");

/** The same as smaller changes, or one that says more in fewer words. */
function shrunk(change: CacheChange): readonly CacheChange[] {
  if (change.type === "fed.set") return [{ type: "fed.delete", keys: [change.key], at: [change.at] }];
  if (change.type === "fed.delete" && change.keys.length > 1) {
    const half = Math.ceil(change.keys.length / 2);
    return [
      [0, half],
      [half, change.keys.length],
    ].map(([from, to]) => ({
      type: "fed.delete",
      keys: change.keys.slice(from, to),
      ...(change.at && { at: change.at.slice(from, to) }),
    }));
  }
  const at = change.type === "fed.delete" ? change.at?.[0] : change.at;
  return [{ type: "fed.invalidate", ...(at !== undefined && { at }) }];
}
