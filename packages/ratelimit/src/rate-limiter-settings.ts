import { ConfigError, toMs, toTimeoutMs } from "@continuum-cache/core";
import { algorithms } from "./algorithms/algorithms.ts";
import type { OnError } from "./on-error.ts";
import type { RateLimiterBackend, RateLimiterOptions } from "./rate-limiter-options.ts";
import type { Algorithm } from "./receipt.ts";

/** The options of a limiter, checked, with defaults. */
export interface RateLimiterSettings {
  readonly algorithm: Algorithm;
  readonly onError: OnError;
  readonly budgetMs: number;
  readonly processes: number | undefined;
  readonly denyCache: { readonly maxEntries: number; readonly maxAgeMs: number } | undefined;
  readonly maxKeys: number;
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

const reactions: readonly OnError[] = ["local", "open", "closed"];

export function readSettings(backend: RateLimiterBackend, options: RateLimiterOptions): RateLimiterSettings {
  if (typeof backend?.transport?.send !== "function") {
    throw new ConfigError("transport", "Expected a cache, or { transport }: the limiter has nothing to stand on");
  }
  const { algorithm = "sliding-window", onError = "local", budget = "250ms", processes, denyCache = {} } = options;
  assertOneOf("algorithm", algorithm, Object.keys(algorithms));
  assertOneOf("onError", onError, reactions);
  if (processes !== undefined) assertCount("processes", processes);
  const { maxKeys = 10_000, waitUntil } = options;
  assertCount("maxKeys", maxKeys);
  return {
    algorithm,
    onError,
    budgetMs: toTimeoutMs(budget, "budget"),
    processes,
    denyCache: denyCache === false ? undefined : readDenyCache(denyCache),
    maxKeys,
    waitUntil,
  };
}

function readDenyCache({
  maxEntries = 10_000,
  maxAge = "5s",
}: Exclude<RateLimiterOptions["denyCache"], false | undefined>) {
  assertCount("denyCache.maxEntries", maxEntries);
  return { maxEntries, maxAgeMs: toMs(maxAge, "denyCache.maxAge") };
}

function assertOneOf(setting: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  const names = known.map((name) => JSON.stringify(name)).join(", ");
  throw new ConfigError(setting, `Expected \`${setting}\` to be one of ${names}, got ${JSON.stringify(value)}`);
}

function assertCount(setting: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new ConfigError(setting, `Expected \`${setting}\` to be a whole number of at least 1, got ${String(value)}`);
}
