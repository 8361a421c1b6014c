import type { HeldContext, Limited, Lock, LockOptions } from "../locks/lock-options.ts";
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
    return (await this.engine.across()).locks.lock(key, options);
  }

  /**
   * Runs work under a lock, and gives the lock back. It behaves as that of `lock` does.
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
    return (await this.engine.across()).locks.withLock(key, work, options);
  }

  /**
   * Takes one of `limit` permits. A permit behaves as a lock of `lock` does.
   *
   * @returns undefined when none was free in time.
   */
  async semaphore(key: string, options: LockOptions & Limited): Promise<Lock | undefined> {
    return (await this.engine.across()).locks.semaphore(key, options);
  }
}
