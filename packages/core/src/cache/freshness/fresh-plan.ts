import { ConfigError } from "../../errors/config-error.ts";
import { quoted } from "../../errors/quoted.ts";
import { isSchema, type StandardSchema } from "../../keys/standard-schema.ts";
import { assertOptions, choiceOption, functionOption, type KnownOptions } from "../../settings/options.ts";
import { longestTimerMs, toMs, toTimeoutMs } from "../../time/duration.ts";
import type { GetOrSetOptions } from "../get-or-set.ts";
import { type LoadTimes, loadTimesOf, plainOptions } from "../load-times.ts";
import { type TimeToLive, ttlToMs } from "../time-to-live.ts";

/** The options of a call, checked. All times are in milliseconds. */
export interface FreshPlan extends LoadTimes {
  /** Where the primary gives no answer, the call rejects. */
  readonly insists: boolean;
  readonly signal: AbortSignal | undefined;
  /** How long a value is fresh, before jitter. @throws ConfigError when the caller's function returns no such time. */
  ttlMsOf(key: string, value: unknown): number | undefined;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly softTimeoutMs: number;
  /** 0 without `refreshAhead`. */
  readonly beta: number;
  readonly jitter: number;
  readonly isKept: (value: unknown) => boolean;
  readonly schema: StandardSchema | undefined;
  readonly isGlobal: boolean;
  readonly tags: readonly string[] | ((value: unknown) => readonly string[]) | undefined;
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

const known: KnownOptions<GetOrSetOptions> = {
  ...plainOptions,
  staleWhileRevalidate: true,
  staleIfError: true,
  softTimeout: true,
  refreshAhead: true,
  jitter: true,
  cacheIf: true,
  schema: true,
  waitUntil: true,
  singleFlight: true,
  tags: true,
};

/**
 * @param owner - Who takes the options, as the caller wrote it.
 * @param usualTtlMs - The time to live of a key where the call says none, or says a fixed one.
 * @throws ConfigError that quotes what came.
 */
export function readFreshPlan(
  owner: string,
  options: GetOrSetOptions,
  usualTtlMs: (key: string, own: TimeToLive | undefined) => number | undefined,
): FreshPlan {
  assertOptions(owner, options, known);
  const { ttl, signal, schema, softTimeout, staleIfError, cacheIf, waitUntil, tags } = options;
  if (softTimeout !== undefined && staleIfError === undefined) {
    throw new ConfigError(
      "softTimeout",
      "`softTimeout` needs `staleIfError`, which says how old the value may be that is served then",
    );
  }
  if (schema !== undefined && !isSchema(schema)) {
    throw new ConfigError(
      "schema",
      `Expected \`schema\` to follow Standard Schema 1, as those of zod, valibot and arktype do, got ${quoted(schema)}`,
    );
  }
  functionOption("cacheIf", cacheIf);
  functionOption("waitUntil", waitUntil);
  if (typeof ttl !== "function" && ttl !== undefined) ttlToMs(ttl);
  return {
    ...loadTimesOf(options),
    insists: options.fallback === false,
    signal,
    ttlMsOf: (key, value) => (typeof ttl === "function" ? ttlToMs(ttl(value), "ttl(value)") : usualTtlMs(key, ttl)),
    staleWhileRevalidateMs: windowMs("staleWhileRevalidate", options.staleWhileRevalidate),
    staleIfErrorMs: windowMs("staleIfError", staleIfError),
    softTimeoutMs: softTimeout === undefined ? longestTimerMs : toTimeoutMs(softTimeout, "softTimeout"),
    beta: betaOf(options.refreshAhead),
    jitter: jitterOf(options.jitter),
    isKept: (value) => value !== undefined && (cacheIf === undefined || answerOf(cacheIf(value))),
    schema,
    isGlobal: choiceOption("singleFlight", options.singleFlight ?? "process", ["global", "process"]) === "global",
    tags,
    waitUntil,
  };
}

/** @throws ConfigError for a promise, which would count as yes whatever it brings. */
function answerOf(answer: unknown): boolean {
  if (typeof answer !== "object" || answer === null) return Boolean(answer);
  throw new ConfigError("cacheIf", `Expected \`cacheIf\` to return true or false at once, got ${quoted(answer)}`);
}

const windowMs = (name: string, window: GetOrSetOptions["staleIfError"]): number =>
  window === undefined ? 0 : toMs(window, name);

function betaOf(refreshAhead: GetOrSetOptions["refreshAhead"]): number {
  if (refreshAhead === undefined || refreshAhead === false) return 0;
  if (refreshAhead === true) return 1;
  assertOptions("refreshAhead", refreshAhead, { beta: true });
  const { beta = 1 } = refreshAhead;
  if (typeof beta === "number" && beta > 0 && Number.isFinite(beta)) return beta;
  throw new ConfigError("beta", `Expected \`beta\` to be a positive number such as 1, got ${quoted(beta)}`);
}

function jitterOf(jitter: unknown = 0): number {
  if (typeof jitter === "number" && jitter >= 0 && jitter < 1) return jitter;
  throw new ConfigError(
    "jitter",
    `Expected \`jitter\` to be a share from 0 to below 1, such as 0.1 for ±10 %, got ${quoted(jitter)}`,
  );
}
