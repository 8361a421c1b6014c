import { type Cache, ConfigError, escapeGlob, keyPattern } from "@continuum-cache/core";
import {
  assertOptions,
  booleanOption,
  choiceOption,
  compileGlob,
  type KnownOptions,
  matchesGlob,
  quoted,
  toMs,
  toTimeoutMs,
} from "@continuum-cache/core/kit";
import type { SyncLog } from "../log/sync-log.ts";
import { keyPrefixOption } from "../shared/options.ts";
import { createPrimaryClient, type PrimaryClient } from "../shared/primary-client.ts";
import { tiebreakerOf } from "./hybrid-timestamp.ts";
import type { FederateOptions } from "./types.ts";

const knownFederate: KnownOptions<FederateOptions> = {
  scope: true,
  values: true,
  retention: true,
  clockPrefix: true,
  from: true,
  timeout: true,
};

/** The options of a federation, checked and with defaults. */
export interface FederationSettings {
  readonly cache: Cache;
  readonly log: SyncLog;
  readonly link: PrimaryClient;
  readonly scope: Scope;
  readonly values: ClockSettings | undefined;
  readonly from: "beginning" | "now";
  readonly timeoutMs: number;
  fullKey(key: string): string;
  fullGlob(glob: string): string;
}

/** How the times of writes are kept. */
export interface ClockSettings {
  readonly keepMs: number;
  /** The key that holds the time of a key's last write. The given key includes the cache's prefix. */
  clockOf(fullKey: string): string;
  /** A hash of tombstones: the patterns that were deleted, and when. */
  readonly tombstonesKey: string;
  /** Of this instance. */
  readonly tiebreaker: number;
}

/** @throws ConfigError that quotes what came. */
export function readFederationSettings(cache: Cache, log: SyncLog, options: FederateOptions): FederationSettings {
  if (typeof cache?.observed !== "function") throw new ConfigError("cache", `Expected a Cache, got ${quoted(cache)}`);
  if (typeof log?.follow !== "function") {
    throw new ConfigError("log", `Expected a SyncLog of its own, got ${quoted(log)}`);
  }
  assertOptions("federate", options ?? null, knownFederate);
  const { from = "beginning", clockPrefix = "fed:clock" } = options;
  const scope = createScope(options.scope);
  const values = booleanOption("values", options.values) ?? false;
  keyPrefixOption("clockPrefix", clockPrefix);
  const clock = keyPattern(`${clockPrefix}:{key}`);
  const fullGlob = (glob: string): string => escapeGlob(cache.keyPrefix) + glob;
  for (const glob of scope.globs) {
    const isAll = cache.keyPrefix === "" && /^[*?[]/.test(glob);
    if (!isAll && !matchesGlob(fullGlob(glob), clock({ key: "x" }))) continue;
    throw new ConfigError(
      "scope",
      `Expected \`scope\` to name keys of the cache only, such as "memory:*", got ${quoted(glob)}, which also ` +
        "matches the federation's own keys: narrow it, or give the cache a `keyPrefix`",
    );
  }
  const keepMs = toMs(options.retention ?? "24h", "retention");
  const timeoutMs = toTimeoutMs(options.timeout ?? "5s", "timeout");
  return {
    cache,
    log,
    link: createPrimaryClient(cache.transport, timeoutMs),
    scope,
    values: values
      ? {
          keepMs,
          clockOf: (key) => clock({ key }),
          tombstonesKey: clockPrefix,
          tiebreaker: tiebreakerOf(log.instanceId),
        }
      : undefined,
    from: choiceOption("from", from, ["beginning", "now"]),
    timeoutMs,
    fullKey: (key) => cache.keyPrefix + key,
    fullGlob,
  };
}

/** Which keys are shared. */
export interface Scope {
  readonly globs: readonly string[];
  has(key: string): boolean;
  /**
   * The part of a glob that may be shared, as globs: narrowed when both are a prefix and a star, else the glob itself.
   */
  within(glob: string): readonly string[];
}

/** @throws ConfigError that quotes what came. */
function createScope(scope: string | readonly string[]): Scope {
  const globs = [scope].flat() as readonly unknown[];
  if (globs.length === 0 || !globs.every((glob) => typeof glob === "string" && glob !== "")) {
    const wrong = globs.find((glob) => typeof glob !== "string" || glob === "");
    const got = globs.length === 0 ? "an empty list" : wrong === "" ? '""' : typeof wrong;
    throw new ConfigError(
      "scope",
      `Expected \`scope\` to be a pattern such as "memory:*", or a list of such, got ${got}`,
    );
  }
  const patterns = globs as readonly string[];
  const tests = patterns.map(compileGlob);
  return {
    globs: patterns,
    has: (key) => tests.some((test) => test(key)),
    within: (glob) => [...new Set(patterns.flatMap((own) => common(own, glob)))],
  };
}

/** The common keys of two globs: none, or a glob that matches at least those. */
function common(own: string, glob: string): readonly string[] {
  const [ownStart, start] = [literalStart(own), literalStart(glob)];
  if (!ownStart.startsWith(start) && !start.startsWith(ownStart)) return [];
  const isRest = (text: string, from: string): boolean => text === `${from}*`;
  if (isRest(own, ownStart) && start.startsWith(ownStart)) return [glob];
  return isRest(glob, start) && ownStart.startsWith(start) ? [own] : [glob];
}

const literalStart = (glob: string): string => /^[^*?[\]\\]*/.exec(glob)?.[0] ?? "";
