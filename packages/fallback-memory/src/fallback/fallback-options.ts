import type { Clock, Duration } from "@continuum-cache/core";
import {
  assertOptions,
  type BreakerOptions,
  functionOption,
  type JournalStore,
  type KnownOptions,
  systemClock,
  toMs,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type { JournalBounds } from "../journal/outage-journal.ts";

/** How a fallback behaves. */
export interface FallbackOptions {
  /**
   * How often an absent primary gets a PING: soon after the failure at first, then less and less often up to this
   * interval, at random a quarter more or less. If the server names a longer time itself (`retryAfterMs`), it gets
   * none until then.
   *
   * @default "30s"
   */
  readonly healthCheckInterval?: Duration;
  /** The bounds of the journal, which keeps changes until the primary has them. */
  readonly journal?: JournalOptions;
  /**
   * Serves, in an outage, values that this process read from the primary or wrote there before, at most `maxAge` ago.
   *
   * @default none: a read of a key that was not written in this outage is a miss
   */
  readonly warmStart?: { readonly maxAge: Duration };
  /**
   * The bounds of the memory of last seen values, for `warmStart` and to find writes of other processes after an
   * outage.
   */
  readonly knownValues?: { readonly maxEntries?: number; readonly maxBytes?: number };
  /** How long `close()` may take to replay the journal to the primary. @default "2s" */
  readonly closeTimeout?: Duration;
  /**
   * Keeps a Worker running after its response until the primary is back: `waitUntil` of `cloudflare:workers`, or of the
   * request's context. Without it, where timers end with the request, one call per health check waits for the check.
   *
   * @default none
   */
  readonly waitUntil?: (work: Promise<unknown>) => void;
  /** The clock. @default systemClock */
  readonly clock?: Clock;
}

/**
 * The bounds of an outage journal. It never drops a change: a write for which there is no room is refused with a
 * `TransportError`, and one `error` event reports when that begins.
 */
export interface JournalOptions {
  /** The most keys and patterns. @default no limit except `maxBytes` */
  readonly maxEntries?: number;
  /**
   * The most memory in bytes, with keys, values and bookkeeping: enough for about a million deletes, or 150,000 short
   * values. A call that makes large values from short arguments (RENAME, SETRANGE, a script) may exceed it once.
   *
   * @default 100663296 (96 MiB)
   */
  readonly maxBytes?: number;
  /**
   * Where the journal is kept so that it survives the process, such as `fileJournal({ path })`. A write is then
   * answered when the store has it.
   *
   * @default none: the journal ends with the process
   */
  readonly store?: JournalStore;
}

export interface FallbackSettings {
  readonly clock: Clock;
  readonly breaker: BreakerOptions;
  readonly bounds: JournalBounds;
  readonly store: JournalStore | undefined;
  readonly lastSeen: { readonly maxEntries: number; readonly maxBytes: number };
  readonly warmStartMs: number | undefined;
  readonly closeTimeoutMs: number;
}

/** When the first probe comes. */
const firstWaitMs = 250;

const known: KnownOptions<FallbackOptions> = {
  healthCheckInterval: true,
  journal: true,
  warmStart: true,
  knownValues: true,
  closeTimeout: true,
  waitUntil: true,
  clock: true,
};

/** @throws ConfigError that names the option, also when an option does not exist. */
export function readFallbackOptions(options: FallbackOptions): FallbackSettings {
  const { clock = systemClock, journal = {}, knownValues = {}, warmStart } = options;
  assertOptions("withFallback", options, known);
  assertOptions<JournalOptions>("journal", journal, { maxEntries: true, maxBytes: true, store: true });
  assertOptions<typeof knownValues>("knownValues", knownValues, { maxEntries: true, maxBytes: true });
  if (warmStart !== undefined) assertOptions<typeof warmStart>("warmStart", warmStart, { maxAge: true });
  functionOption("waitUntil", options.waitUntil);
  const intervalMs = toMs(options.healthCheckInterval ?? "30s", "healthCheckInterval");
  return {
    clock,
    // The transports below have retried already: the first failure that gets here is an outage.
    breaker: { failures: 1, sample: false, wait: `${Math.min(firstWaitMs, intervalMs)}ms`, maxWait: `${intervalMs}ms` },
    bounds: {
      maxEntries: wholeNumberOption("journal.maxEntries", journal.maxEntries ?? Number.MAX_SAFE_INTEGER),
      maxBytes: wholeNumberOption("journal.maxBytes", journal.maxBytes ?? 96 << 20),
    },
    store: journal.store,
    lastSeen: {
      maxEntries: wholeNumberOption("knownValues.maxEntries", knownValues.maxEntries ?? 10_000),
      maxBytes: wholeNumberOption("knownValues.maxBytes", knownValues.maxBytes ?? 8 << 20),
    },
    warmStartMs: warmStart && toMs(warmStart.maxAge, "warmStart.maxAge"),
    closeTimeoutMs: toMs(options.closeTimeout ?? "2s", "closeTimeout"),
  };
}

/**
 * Checks the options of `withFallback` without loading it, for programs that import the rest of the package later.
 *
 * @throws ConfigError that names the option, also when an option does not exist.
 *
 * @example
 * ```ts
 * import type { Transport } from "@continuum-cache/core";
 * import { assertFallbackOptions, type FallbackOptions } from "@continuum-cache/fallback-memory/options";
 *
 * async function steadyLater(primary: Transport, options: FallbackOptions): Promise<Transport> {
 *   assertFallbackOptions(options);
 *   const { memoryTransport, withFallback } = await import("@continuum-cache/fallback-memory");
 *   return withFallback(primary, memoryTransport(), options);
 * }
 * ```
 */
export function assertFallbackOptions(options: FallbackOptions): void {
  readFallbackOptions(options);
}
