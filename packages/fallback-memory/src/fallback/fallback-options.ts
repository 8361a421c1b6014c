import type { BreakerOptions, Clock, Duration } from "@continuum-cache/core";
import {
  assertOptions,
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
   * How often an absent primary is asked whether it is back, with one PING: soon after the failure at first, then less and
   * less often up to this, at random a quarter more or less. A server that names a longer time itself (`retryAfterMs`) is
   * left alone for that. @default "30s"
   */
  readonly healthCheckInterval?: Duration;
  /** The bounds of what waits for the primary. */
  readonly journal?: JournalOptions;
  /**
   * Serves, in an outage, what this process has read from the primary or written there before. `maxAge` bounds how stale
   * that may be. @default none: a read of what was not written in this outage is a miss
   */
  readonly warmStart?: { readonly maxAge: Duration };
  /** The bounds of what is remembered of the primary's values, for `warmStart` and to tell who wrote last. */
  readonly knownValues?: { readonly maxEntries?: number; readonly maxBytes?: number };
  /** How long `close()` may spend on telling the primary what it does not know yet. @default "2s" */
  readonly closeTimeout?: Duration;
  /**
   * Keeps a Worker at work after its response until the primary is back: `waitUntil` of `cloudflare:workers`, or of the
   * request's context. Where timers end with the request and there is none of this, one call per health check waits for
   * the check. @default none
   */
  readonly waitUntil?: (work: Promise<unknown>) => void;
  /** What time it is. @default systemClock */
  readonly clock?: Clock;
}

/**
 * The bounds of an outage journal. Nothing in it is ever given up: a write for which there is no room left is refused, with a
 * `TransportError`, and one `error` event tells when that begins.
 */
export interface JournalOptions {
  /** The most keys and patterns. @default no limit but `maxBytes` */
  readonly maxEntries?: number;
  /**
   * The most memory, keys, values and bookkeeping, in bytes: enough for about a million deletes, or 150,000 short values. A call
   * that makes much of short arguments (RENAME, SETRANGE, a script) may take the journal beyond it once. @default 100663296 (96 MiB)
   */
  readonly maxBytes?: number;
  /**
   * Where the journal is kept so that it survives the process, such as `fileJournal({ path })`. A write is then answered
   * when the store has it. @default none: it ends with the process
   */
  readonly store?: JournalStore;
}

export interface FallbackSettings {
  readonly clock: Clock;
  readonly breaker: BreakerOptions;
  readonly bounds: JournalBounds;
  readonly store: JournalStore | undefined;
  readonly known: { readonly maxEntries: number; readonly maxBytes: number };
  readonly warmStartMs: number | undefined;
  readonly closeTimeoutMs: number;
}

/** The first probe comes this soon. */
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

/** @throws ConfigError that names the option, also where there is none of that name. */
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
    // What the transports below could not mend by trying again is an outage: the first such failure counts.
    breaker: { failures: 1, sample: false, wait: `${Math.min(firstWaitMs, intervalMs)}ms`, maxWait: `${intervalMs}ms` },
    bounds: {
      maxEntries: wholeNumberOption("journal.maxEntries", journal.maxEntries ?? Number.MAX_SAFE_INTEGER),
      maxBytes: wholeNumberOption("journal.maxBytes", journal.maxBytes ?? 96 << 20),
    },
    store: journal.store,
    known: {
      maxEntries: wholeNumberOption("knownValues.maxEntries", knownValues.maxEntries ?? 10_000),
      maxBytes: wholeNumberOption("knownValues.maxBytes", knownValues.maxBytes ?? 8 << 20),
    },
    warmStartMs: warmStart && toMs(warmStart.maxAge, "warmStart.maxAge"),
    closeTimeoutMs: toMs(options.closeTimeout ?? "2s", "closeTimeout"),
  };
}

/**
 * Checks the options of `withFallback` without loading it: for those who import the rest of the package later.
 *
 * @throws ConfigError that names the option, also where there is none of that name.
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
