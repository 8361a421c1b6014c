import { ConfigError } from "@continuum-cache/core";
import {
  assertOptions,
  backendOption,
  choiceOption,
  functionOption,
  type KnownOptions,
  textOption,
  toMs,
  toTimeoutMs,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import { algorithms } from "./algorithms/algorithms.ts";
import { readDefaults } from "./limits/limit-request.ts";
import type { DenyCacheOptions, RateLimiterBackend, RateLimiterOptions } from "./options.ts";
import type { Algorithm, OnError } from "./types.ts";

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

const knownOptions: KnownOptions<RateLimiterOptions> = {
  window: true,
  limit: true,
  scope: true,
  burst: true,
  algorithm: true,
  onError: true,
  budget: true,
  processes: true,
  denyCache: true,
  maxKeys: true,
  waitUntil: true,
};
const knownOfBackend: KnownOptions<RateLimiterBackend> = { transport: true, keyPrefix: true };
const knownOfDenyCache: KnownOptions<DenyCacheOptions> = { maxEntries: true, maxAge: true };

/**
 * Checks all options.
 *
 * @throws ConfigError when there is no backend, or when an option is unknown or out of its range.
 */
export function readSettings(backend: RateLimiterBackend, options: RateLimiterOptions): RateLimiterSettings {
  assertBackend(backend);
  assertOptions("new RateLimiter", options, knownOptions);
  const { algorithm = "sliding-window", onError = "local", budget = "250ms", processes, denyCache = {} } = options;
  const { maxKeys = 10_000, waitUntil } = options;
  functionOption("waitUntil", waitUntil);
  choiceOption("algorithm", algorithm, Object.keys(algorithms) as Algorithm[]);
  readDefaults(algorithm, options);
  return {
    algorithm,
    onError: choiceOption("onError", onError, reactions),
    budgetMs: toTimeoutMs(budget, "budget"),
    processes: processes === undefined ? undefined : wholeNumberOption("processes", processes),
    denyCache: denyCache === false ? undefined : readDenyCache(denyCache),
    maxKeys: wholeNumberOption("maxKeys", maxKeys),
    waitUntil,
  };
}

function assertBackend(backend: RateLimiterBackend): void {
  backendOption(backend);
  const misplaced = Object.keys(backend).find((name) => Object.hasOwn(knownOptions, name));
  if (misplaced !== undefined) {
    throw new ConfigError(
      misplaced,
      `\`${misplaced}\` is an option of the limiter: move it from the first argument of new RateLimiter to the ` +
        `second, as in new RateLimiter({ transport }, { ${misplaced}: … })`,
    );
  }
  // A cache has more properties, and checks its own options.
  const isCache = typeof (backend as { get?: unknown }).get === "function";
  if (!isCache) assertOptions("The first argument of new RateLimiter", backend, knownOfBackend);
  textOption("keyPrefix", backend.keyPrefix);
}

function readDenyCache(options: DenyCacheOptions): { readonly maxEntries: number; readonly maxAgeMs: number } {
  assertOptions("denyCache", options, knownOfDenyCache);
  const { maxEntries = 10_000, maxAge = "5s" } = options;
  return {
    maxEntries: wholeNumberOption("denyCache.maxEntries", maxEntries),
    maxAgeMs: toMs(maxAge, "denyCache.maxAge"),
  };
}
