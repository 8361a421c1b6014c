import { assertKey, type Duration, keys, toMs } from "@continuum-cache/core";
import { type AlgorithmFacts, algorithms } from "./algorithms/algorithms.ts";
import { isCountable } from "./algorithms/token-bucket.ts";
import { CostError } from "./cost-error.ts";
import type { LimitOptions } from "./rate-limit.ts";
import type { Algorithm } from "./receipt.ts";

/** One limit that one call is under, checked. */
export interface Ask {
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

/** What a limiter gives all its calls. */
export interface AskDefaults extends LimitOptions {
  readonly algorithm: Algorithm;
  readonly keyPrefix: string;
}

const longestWindowMs = 366 * 86_400_000;
const largestLimit = 1_000_000_000;
const largestLoggedLimit = 100_000;

/**
 * @throws TypeError when the id is no text, or no window or limit was given. RangeError when a value is out of its range.
 * CostError when the cost is more than the limit.
 */
export function readAsk(defaults: AskDefaults, id: string, options: LimitOptions): Ask {
  const { algorithm, keyPrefix } = defaults;
  const facts = algorithms[algorithm];
  const { scope = defaults.scope ?? "default", window = defaults.window, limit = defaults.limit, cost = 1 } = options;
  const { burst = defaults.burst } = options;
  if (typeof id !== "string" || id === "") {
    throw new TypeError(`Expected an id such as a user's or an address, got ${id === "" ? '""' : typeof id}`);
  }
  if (typeof scope !== "string" || scope === "") {
    throw new TypeError(`Expected \`scope\` to be a name such as "api", got ${scope === "" ? '""' : typeof scope}`);
  }
  if (window === undefined || limit === undefined) {
    const missing = window === undefined ? "window" : "limit";
    throw new TypeError(
      `Expected \`${missing}\`: give it to the call, as { window: "1m", limit: 100 }, or to the limiter`,
    );
  }
  const windowMs = windowOf(window);
  assertCount("limit", limit, algorithm === "sliding-log" ? largestLoggedLimit : largestLimit);
  assertCount("cost", cost, Number.MAX_SAFE_INTEGER);
  const windowUs = windowMs * 1_000;
  const capacity = capacityOf(algorithm, windowUs, limit, burst);
  if (cost > capacity) throw new CostError(cost, capacity);
  const key = keyPrefix + keys.rateLimit({ scope, id, window: labelOf(windowMs) + facts.suffix });
  assertKey(key);
  const extra = facts.extra(windowUs, limit, capacity);
  return { key, algorithm, facts, scope, windowUs, limit, capacity, extra, cost };
}

function windowOf(window: Duration): number {
  const windowMs = toMs(window, "window");
  if (windowMs > longestWindowMs)
    throw new RangeError(`Expected \`window\` to be at most 366 days, got ${String(window)}`);
  return windowMs;
}

const labelOf = (windowMs: number): string => (windowMs % 1_000 === 0 ? `${windowMs / 1_000}s` : `${windowMs}ms`);

function capacityOf(algorithm: Algorithm, windowUs: number, limit: number, burst: number | undefined): number {
  if (algorithm !== "token-bucket") {
    if (burst === undefined) return limit;
    throw new RangeError(`\`burst\` (${burst}) is for "token-bucket" alone: leave it out, or choose that algorithm`);
  }
  const capacity = burst ?? limit;
  assertCount("burst", capacity, largestLimit);
  if (isCountable(windowUs, limit, capacity)) return capacity;
  throw new RangeError(
    `A bucket of ${capacity} tokens at ${limit} per window takes too long to fill to be counted: choose a smaller \`burst\``,
  );
}

function assertCount(name: string, value: unknown, most: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > most) {
    throw new RangeError(`Expected \`${name}\` to be a whole number from 1 to ${most}, got ${String(value)}`);
  }
}
