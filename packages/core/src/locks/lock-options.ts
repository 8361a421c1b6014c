import { assertOptions, type KnownOptions, signalOption, wholeNumberOption } from "../settings/options.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";

/** How a lock is held, and how long to wait for it. */
export interface LockOptions {
  /**
   * How long the server keeps the lock for a process that has vanished. While it is held the process renews it three
   * times per lease. @default "10s"
   */
  readonly lease?: Duration;
  /** How long to wait until the lock is free; 0 tries once. @default 0 */
  readonly wait?: Duration;
  /** Ends the wait: the call rejects with a `TransportError` of kind `aborted`. A lock that is held stays held. */
  readonly signal?: AbortSignal;
}

/** How many may hold a permit of a semaphore at once. All callers of a key should name the same limit. */
export interface Limited {
  readonly limit: number;
}

/** A lock, or a permit of a semaphore, that this process holds. */
export interface Lock extends AsyncDisposable {
  /** The key without the prefix. */
  readonly key: string;
  /**
   * The fencing token: greater than that of each earlier holder. Send it along with each write to the guarded resource,
   * and let the resource refuse a token that is less than the greatest it has seen.
   */
  readonly token: number;
  /**
   * Aborts when the lock is lost: the server has given it to another process, or its lease could not be renewed in
   * time. Pass it on to the work that the lock guards.
   */
  readonly lost: AbortSignal;
  /** Whether the lease still holds, by the clock of this process: looked up now, also after the process was frozen. */
  readonly isHeld: boolean;
  /**
   * Gives the lock another full lease at once, or a lease of another length.
   *
   * @returns false when it was lost.
   * @throws TransportError when the primary gave no answer.
   */
  extend(lease?: Duration): Promise<boolean>;
  /**
   * Gives the lock back. Safe to call twice. `await using` does it at the end of the block, and ignores a failure.
   *
   * @returns whether this process held it until now.
   * @throws TransportError when the primary gave no answer: then the lock ends with its lease.
   */
  release(): Promise<boolean>;
}

/** What the work under a lock gets. */
export interface HeldContext {
  /** The fencing token, see {@link Lock.token}. */
  readonly token: number;
  /** Aborts when the lock is lost, see {@link Lock.lost}. */
  readonly signal: AbortSignal;
}

/** The same, checked, in milliseconds. */
export interface LockSettings {
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
}

const knownOfLock: KnownOptions<LockOptions> = { lease: true, wait: true, signal: true };
const knownOfSemaphore: KnownOptions<LockOptions & Limited> = { ...knownOfLock, limit: true };

/** @throws ConfigError when an option is unknown, or can't be. */
export function readLockOptions(owner: "lock" | "withLock", options: LockOptions = {}): LockSettings {
  assertOptions(`cache.${owner}`, options, knownOfLock);
  return read(options, 1);
}

/** @throws ConfigError when an option is unknown, or can't be. */
export function readSemaphoreOptions(options: LockOptions & Limited): LockSettings {
  assertOptions("cache.semaphore", options, knownOfSemaphore);
  return read(options, wholeNumberOption("limit", options.limit));
}

function read({ lease = "10s", wait = 0, signal }: LockOptions, limit: number): LockSettings {
  return {
    leaseMs: toTimeoutMs(lease, "lease"),
    waitMs: wait === 0 ? 0 : toTimeoutMs(wait, "wait"),
    limit,
    signal: signalOption(signal),
  };
}
