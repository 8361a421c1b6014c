import { quoted } from "../errors/quoted.ts";
import { type Limited, type LockOptions, readLockOptions, readSemaphoreOptions } from "../locks/lock-options.ts";
import { createLocks } from "../locks/locks.ts";
import type { NearStore } from "../ports/near-cache.ts";
import type { Transport } from "../ports/transport.ts";
import type { CacheLocks } from "./cache-locks.ts";
import { type CallsParts, createCalls, raw } from "./calls.ts";
import { createGlobalFlight, type GlobalFlight } from "./global-flight.ts";

/** What processes do together. Loaded at its first use. */
export interface AcrossProcesses {
  readonly flights: GlobalFlight;
  readonly locks: Pick<CacheLocks, "lock" | "withLock" | "semaphore">;
}

/** What it is made of. */
export interface AcrossParts {
  readonly near: NearStore | undefined;
  readonly transport: Transport;
  readonly callsParts: CallsParts;
  /** The key with the prefix. @throws TypeError or RangeError when it can't be a key. */
  fullKeyOf(key: string): string;
  readonly timeoutMs: number;
}

export function createAcrossProcesses(parts: AcrossParts): AcrossProcesses {
  const { transport, callsParts, fullKeyOf, timeoutMs, near } = parts;
  // What a lease writes is no write of a caller's, which would end the load that it is for.
  const calls = createCalls({ ...callsParts, onSend: (commands) => near?.written(commands) });
  const locks = createLocks({
    fullKeyOf: (key) => fullKeyOf(`lock:${key}`),
    timeoutMs,
    send: (commands, sending) => calls.one(() => [raw("lock", commands), sending]),
  });
  return {
    flights: createGlobalFlight(transport, calls),
    locks: {
      lock: async (key: string, options?: LockOptions) => locks.acquire(key, readLockOptions("lock", options)),
      async withLock(key, work, options) {
        if (typeof work === "function") return locks.withLock(key, work, readLockOptions("withLock", options));
        throw new TypeError(`Expected work to do under the lock, a function, got ${quoted(work)}`);
      },
      semaphore: async (key, options: LockOptions & Limited) => locks.acquire(key, readSemaphoreOptions(options)),
    },
  };
}
