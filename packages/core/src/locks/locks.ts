import { abortedError } from "../errors/call-errors.ts";
import { unwrap } from "../errors/command-error.ts";
import { TransportError } from "../errors/transport-error.ts";
import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import { createBackoff } from "../time/backoff.ts";
import { onAbort } from "../time/on-abort.ts";
import { createHeldLock, elapsedSince, ignoreUnanswered, instant } from "./held-lock.ts";
import type { HeldContext, Lock, LockSettings } from "./lock-options.ts";
import { lockScript, readLockAnswer } from "./lock-script.ts";

/** Locks and semaphores over all processes that use one Redis. */
export interface Locks {
  /** @returns undefined when none was free in time. */
  acquire(key: string, settings: LockSettings): Promise<Lock | undefined>;
  /** @throws TransportError of kind `timeout` when the lock was not free in time, or was lost before the work ended. */
  withLock<Result>(
    key: string,
    work: (held: HeldContext) => Result | Promise<Result>,
    settings: LockSettings,
  ): Promise<Result>;
}

/** What locks are made of. */
export interface LocksParts {
  /** The full key of a lock. @throws TypeError or RangeError when the key can't be one. */
  fullKeyOf(key: string): string;
  /** How long a command may take, in milliseconds. */
  readonly timeoutMs: number;
  send(commands: readonly Command[], options: SendOptions): Promise<Reply[]>;
}

/** Pauses between looks at a lock that another process holds, in milliseconds. */
const firstPauseMs = 25;
const longestPauseMs = 250;

/** A command for a lock goes to the primary, or fails: a lock in the memory of one process would hold off no other. */
export function createLocks({ fullKeyOf, timeoutMs, send }: LocksParts): Locks {
  const run = async (full: string, action: string, name: string, settings: LockSettings, ownTimeoutMs: number) => {
    const options: SendOptions = { timeoutMs: Math.max(1, Math.min(timeoutMs, ownTimeoutMs)), fallback: false };
    const args = [action, name, settings.leaseMs, settings.limit];
    const [reply = null] = await send([["EVAL", lockScript.lua, 1, full, ...args]], options);
    return readLockAnswer(unwrap(reply));
  };

  const held = (
    key: string,
    full: string,
    name: string,
    settings: LockSettings,
    token: number,
    since = instant(),
  ): Lock =>
    createHeldLock({
      key,
      token,
      leaseMs: settings.leaseMs,
      since,
      renew: async (leaseMs, leftMs) => (await run(full, "renew", name, { ...settings, leaseMs }, leftMs)).token > 0,
      end: async () => (await run(full, "end", name, settings, timeoutMs)).token > 0,
    });

  const acquire: Locks["acquire"] = async (key, settings) => {
    const { leaseMs, waitMs, signal } = settings;
    const full = fullKeyOf(key);
    const name = crypto.randomUUID();
    const lateMs = performance.now() + waitMs;
    const pauses = createBackoff({ firstMs: firstPauseMs, longestMs: longestPauseMs });
    for (;;) {
      if (signal?.aborted) throw abortedError("lock", signal, "none");
      const sent = instant();
      const { token, waitMs: othersMs } = await run(full, "take", name, settings, timeoutMs);
      if (token > 0 && elapsedSince(sent) < leaseMs) {
        const lock = held(key, full, name, settings, token, sent);
        if (!signal?.aborted) return lock;
        await lock.release().catch(ignoreUnanswered);
        throw abortedError("lock", signal, "none");
      }
      const leftMs = lateMs - performance.now();
      if (leftMs <= 0) return undefined;
      // The answer that came too late is of no use: the lease may be over. The same name takes it again.
      await pause(token > 0 ? 1 : Math.min(pauses.next(), othersMs + 1, leftMs), signal);
    }
  };

  return {
    acquire,
    async withLock(key, work, settings) {
      const lock = await acquire(key, settings);
      if (!lock) throw notFree(key, settings.waitMs);
      try {
        const result = await work({ token: lock.token, signal: lock.lost });
        if (!lock.isHeld) throw lock.lost.reason;
        return result;
      } finally {
        await lock.release().catch(ignoreUnanswered);
      }
    },
  };
}

const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, Math.ceil(ms));
    const stop = onAbort(signal, done);
    function done(): void {
      clearTimeout(timer);
      stop();
      resolve();
    }
  });

const notFree = (key: string, waitMs: number): TransportError =>
  new TransportError(
    "timeout",
    `The lock ${JSON.stringify(key.slice(0, 40))} was not free within ${waitMs} ms (raise \`wait\`)`,
    { transport: "lock", delivery: "none", queued: true },
  );
