import { quoted } from "../errors/quoted.ts";
import {
  type HeldContext,
  type Limited,
  type Lock,
  type LockOptions,
  readLockOptions,
  readSemaphoreOptions,
} from "../locks/lock-options.ts";
import type { Engine } from "./engine.ts";

/** The locks of a cache. Their code is loaded at the first call. */
export abstract class CacheLocks {
  protected abstract readonly engine: Engine;

  /**
   * Takes a lock that one caller of all processes may hold. The server decides by its own clock, so there are never two
   * holders; a holder that does not notice in time that it has lost the lock is kept out by its fencing `token`.
   *
   * The lock is renewed while the process holds it, and ends with its `lease` when the process vanishes. It never comes
   * from local memory: while the primary is away the call rejects. It stands under the key `lock:` and the given key.
   *
   * @returns undefined when it was not free in time.
   * @throws ConfigError when an option is wrong.
   * @throws TransportError when the primary gave no answer (then a lock that it did give ends with its lease), or of
   *   kind `aborted` when the signal fired.
   *
   * @example
   * ```ts
   * import type { Cache } from "@continuum-cache/core";
   *
   * async function chargeOnce(cache: Cache, charge: (token: number, signal: AbortSignal) => Promise<void>) {
   *   const lock = await cache.lock("invoice:7", { lease: "10s", wait: "2s" });
   *   if (!lock) return "another process is charging";
   *   try {
   *     await charge(lock.token, lock.lost);
   *   } finally {
   *     await lock.release();
   *   }
   *   return "charged";
   * }
   * ```
   */
  async lock(key: string, options?: LockOptions): Promise<Lock | undefined> {
    const settings = readLockOptions("lock", options);
    return (await this.engine.locks()).acquire(key, settings);
  }

  /**
   * Runs work under a lock, and gives the lock back. See {@link CacheLocks.lock}.
   *
   * @returns what the work returns.
   * @throws TransportError of kind `timeout` when the lock was not free in time: the work was not begun; or when the
   *   lock was lost before the work ended: another process may have worked at the same time.
   */
  async withLock<Result>(
    key: string,
    work: (held: HeldContext) => Result | Promise<Result>,
    options?: LockOptions,
  ): Promise<Result> {
    if (typeof work !== "function")
      throw new TypeError(`Expected work to do under the lock, a function, got ${quoted(work)}`);
    const settings = readLockOptions("withLock", options);
    return (await this.engine.locks()).withLock(key, work, settings);
  }

  /**
   * Takes one of `limit` permits. A permit behaves as a lock does, see {@link CacheLocks.lock}.
   *
   * @returns undefined when none was free in time.
   */
  async semaphore(key: string, options: LockOptions & Limited): Promise<Lock | undefined> {
    const settings = readSemaphoreOptions(options);
    return (await this.engine.locks()).acquire(key, settings);
  }
}
