import { ConfigError, type Duration, keys } from "@continuum-cache/core";
import { assertKey, type KnownOptions, toMs, wholeNumberOption } from "@continuum-cache/core/kit";
import { type AlgorithmFacts, algorithms } from "../algorithms/algorithms.ts";
import { isCountable } from "../algorithms/token-bucket.ts";
import { CostError } from "../errors/cost-error.ts";
import type { Algorithm, LimitOptions } from "../types.ts";

/** One limit that one call is under, with checked numbers. */
export interface LimitRequest {
  readonly key: string;
  readonly algorithm: Algorithm;
  readonly facts: AlgorithmFacts;
  readonly scope: string;
  readonly windowUs: number;
  readonly limit: number;
  /** The most that may be used at once: the limit, or what the bucket holds. */
  readonly capacity: number;
  /** The counter's `extra`. */
  readonly extra: number;
  readonly cost: number;
}

/** The limiter's own options, used by calls that leave them out. */
export interface LimitDefaults extends LimitOptions {
  readonly algorithm: Algorithm;
  readonly keyPrefix: string;
}

/** The names of the options of one call. */
export const knownLimitOptions: KnownOptions<LimitOptions> = {
  window: true,
  limit: true,
  scope: true,
  burst: true,
  cost: true,
};

const longestWindowMs = 366 * 86_400_000;
const largestLimit = 1_000_000_000;
const largestLoggedLimit = 100_000;

/**
 * Checks the options of one call.
 *
 * @throws TypeError when the id is no text. ConfigError when an option is missing, unknown or out of its range.
 * CostError when the cost is more than the limit.
 */
export function readLimitRequest(defaults: LimitDefaults, id: string, options: LimitOptions): LimitRequest {
  const { algorithm, keyPrefix } = defaults;
  const facts = algorithms[algorithm];
  if (typeof id !== "string" || id === "") {
    throw new TypeError(`Expected an id such as a user's or an address, got ${id === "" ? '""' : typeof id}`);
  }
  const { window = defaults.window, limit = defaults.limit, burst = defaults.burst, cost = 1 } = options;
  const scope = readScope(options.scope ?? defaults.scope ?? "default");
  if (window === undefined || limit === undefined) {
    const missing = window === undefined ? "window" : "limit";
    throw new ConfigError(
      missing,
      `Expected \`${missing}\`: give it to the call, as { window: "1m", limit: 100 }, or to the limiter`,
    );
  }
  const windowMs = windowOf(window);
  readLimit(algorithm, limit);
  wholeNumberOption("cost", cost);
  const windowUs = windowMs * 1_000;
  const capacity = capacityOf(algorithm, windowUs, limit, burst);
  if (cost > capacity) throw new CostError(cost, capacity);
  const key = keyPrefix + keys.rateLimit({ scope, id, window: labelOf(windowMs) + facts.suffix });
  assertKey(key);
  const extra = facts.extra(windowUs, limit, capacity);
  return { key, algorithm, facts, scope, windowUs, limit, capacity, extra, cost };
}

/** Checks the limiter's own options. @throws ConfigError when one of them is out of its range. */
export function readDefaults(algorithm: Algorithm, { window, limit, scope, burst }: LimitOptions): void {
  if (window !== undefined) windowOf(window);
  if (limit !== undefined) readLimit(algorithm, limit);
  if (scope !== undefined) readScope(scope);
  if (burst !== undefined) readBurst(algorithm, burst);
}

/** The length of a window in milliseconds. @throws ConfigError when it is no length of a window. */
export function windowOf(window: Duration): number {
  const windowMs = toMs(window, "window");
  if (windowMs > longestWindowMs) {
    throw new ConfigError("window", `Expected \`window\` to be at most 366 days, got ${String(window)}`);
  }
  return windowMs;
}

/** @throws ConfigError when it is no name. */
export function readScope(scope: string): string {
  if (typeof scope === "string" && scope !== "") return scope;
  throw new ConfigError(
    "scope",
    `Expected \`scope\` to be a name such as "api", got ${scope === "" ? '""' : typeof scope}`,
  );
}

const labelOf = (windowMs: number): string => (windowMs % 1_000 === 0 ? `${windowMs / 1_000}s` : `${windowMs}ms`);

const readLimit = (algorithm: Algorithm, limit: number): number =>
  wholeNumberOption("limit", limit, { max: algorithm === "sliding-log" ? largestLoggedLimit : largestLimit });

function readBurst(algorithm: Algorithm, burst: number): number {
  if (algorithm === "token-bucket") return wholeNumberOption("burst", burst, { max: largestLimit });
  throw new ConfigError(
    "burst",
    `\`burst\` (${burst}) is for "token-bucket" alone: leave it out, or choose that algorithm`,
  );
}

function capacityOf(algorithm: Algorithm, windowUs: number, limit: number, burst: number | undefined): number {
  const capacity = burst === undefined ? limit : readBurst(algorithm, burst);
  if (algorithm !== "token-bucket" || isCountable(windowUs, limit, capacity)) return capacity;
  throw new ConfigError(
    "burst",
    `A bucket of ${capacity} tokens at ${limit} per window takes too long to fill: choose a smaller \`burst\``,
  );
}
