import { createClaim, type WaitOptions } from "../claims/claim.ts";
import { isWrite, keysOf } from "../commands/command-facts.ts";
import { TransportError } from "../errors/transport-error.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command } from "../ports/transport.ts";
import { awaitLoad, type RunningLoad } from "./load-cycle.ts";

/** The loads of this process, one per key. */
export interface Loads {
  /**
   * Joins the key's load, or starts one. A caller that has joined waits no longer than it says, and takes over when the
   * load's owner has vanished.
   *
   * @throws TypeError when the load waits for its caller, TransportError when the wait was over first.
   */
  join(key: string, run: Run, wait: JoinWait): Promise<unknown>;
  /**
   * Starts a load that callers need not wait for; {@link join} waits for it. Returns undefined where a load of the key
   * runs already. It takes over when the owner of that load has vanished.
   */
  begin(key: string, run: Run, how: BackgroundLoad): Promise<unknown> | undefined;
  /** Whether a call for this key would join a load. */
  isRunning(key: string): boolean;
  /** Whether a load runs for a key under which no value was found that could be served meanwhile. */
  isCold(key: string): boolean;
  /** Marks the loads of all keys that these commands write as outdated. */
  written(commands: readonly Command[]): void;
  /** The same for all keys that pass a test. */
  writtenWhere(test: (key: string) => boolean): void;
}

/** Reads, loads and stores. `outdated()` says whether the value must not be stored. */
export type Run = (load: RunningLoad, outdated: () => boolean) => Promise<unknown>;

/** How long to wait for a load that runs, and how long one that begins may take. */
export interface JoinWait extends WaitOptions {
  readonly timeoutMs: number;
  /** Reading, loading and storing together. */
  readonly longestRunMs: number;
}

/** How a load runs that callers need not wait for. */
export interface BackgroundLoad extends Pick<JoinWait, "longestRunMs"> {
  /** Whether no value was found that could be served meanwhile. */
  readonly isCold: boolean;
}

interface Load extends RunningLoad {
  readonly isCold: boolean;
  outcome: PromiseSettledResult<unknown> | undefined;
  isOutdated: boolean;
}

export function createLoads(): Loads {
  const loads = new TextMap<Load>();

  const drop = (load: Load): void => {
    if (loads.get(load.key) === load) loads.delete(load.key);
  };

  const outdate = (key: string): void => {
    const load = loads.get(key);
    if (!load) return;
    load.isOutdated = true;
    // A call that comes from now on must not be given what was loaded before.
    loads.delete(key);
  };

  /** Its owner has vanished, or has exceeded its time: a value that it still loads is not stored. */
  const giveUp = (load: Load): void => {
    load.isOutdated = true;
    drop(load);
  };

  /** Drops the loads of vanished callers, the oldest first. */
  const dropLost = (): void => {
    for (const load of loads.values()) {
      if (load.claim.isHeld) return;
      giveUp(load);
    }
  };

  /** @param isAwaited - Whether the caller waits for it, and so does the load inside which it calls. */
  const start = async (key: string, run: Run, how: BackgroundLoad, isAwaited: boolean): Promise<unknown> => {
    dropLost();
    const { isCold, longestRunMs } = how;
    const claim = createClaim({ timeoutMs: longestRunMs });
    const load: Load = { key, claim, isCold, awaits: new Set(), outcome: undefined, isOutdated: false };
    loads.set(key, load);
    const endWaiting = isAwaited ? awaitLoad(load) : undefined;
    try {
      const value = await run(load, () => {
        // The load's own write starts now: it must not count as another caller's write.
        drop(load);
        return load.isOutdated;
      });
      load.outcome = { status: "fulfilled", value };
      return value;
    } catch (reason) {
      load.outcome = { status: "rejected", reason };
      throw reason;
    } finally {
      drop(load);
      claim.release();
      endWaiting?.();
    }
  };

  const wait = async (first: Load, run: Run, { timeoutMs, signal, longestRunMs }: JoinWait): Promise<unknown> => {
    const { key } = first;
    const lateMs = performance.now() + timeoutMs;
    for (let load: Load | undefined = first; load; load = loads.get(key)) {
      const endWaiting = awaitLoad(load);
      try {
        const isOver = await load.claim.released({ timeoutMs: lateMs - performance.now(), signal });
        if (load.outcome) return settled(load.outcome);
        if (!isOver) throw lateError(timeoutMs);
      } finally {
        endWaiting();
      }
      // The first call that notices takes over.
      giveUp(load);
    }
    return start(key, run, { isCold: true, longestRunMs }, true);
  };

  return {
    join(key, run, options) {
      const running = loads.get(key);
      const { longestRunMs } = options;
      const value = running ? wait(running, run, options) : start(key, run, { isCold: true, longestRunMs }, true);
      // A failure that no call waits for any more must not end the process.
      value.catch(() => {});
      return value;
    },
    begin(key, run, how) {
      const running = loads.get(key);
      if (running?.claim.isHeld) return undefined;
      if (running) giveUp(running);
      return start(key, run, how, false);
    },
    isRunning: (key) => loads.has(key),
    isCold: (key) => loads.get(key)?.isCold ?? false,
    written(commands) {
      if (loads.size === 0) return;
      for (const command of commands) {
        if (!isWrite(command)) continue;
        const keys = keysOf(command);
        for (const key of keys === "database" ? [...loads.keys()] : keys) outdate(key);
      }
    },
    writtenWhere(test) {
      for (const key of [...loads.keys()].filter(test)) outdate(key);
    },
  };
}

/** @throws the reason of a failure. */
export function settled<Value>(outcome: PromiseSettledResult<Value>): Value {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

const lateError = (timeoutMs: number): TransportError =>
  new TransportError(
    "timeout",
    `The load that was under way for this key did not end within ${timeoutMs} ms (raise \`timeout\` or ` +
      "`loaderTimeout`)",
    { transport: "cache", delivery: "none", queued: true },
  );
