import { type Cache, ConfigError, escapeGlob, keyPattern } from "@continuum-cache/core";
import {
  assertOptions,
  booleanOption,
  choiceOption,
  type KnownOptions,
  matchesGlob,
  toMs,
  toTimeoutMs,
} from "@continuum-cache/core/kit";
import type { SyncLog } from "../log/sync-log.ts";
import { assertText, keyPrefixForm, keyPrefixWords, kindOf, quoted } from "../shared/options.ts";
import { createPrimaryClient, type PrimaryClient } from "../shared/primary-client.ts";
import { tiebreakerOf } from "./hybrid-timestamp.ts";
import { createScope, type Scope } from "./scope.ts";
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
  if (typeof cache?.observed !== "function") throw new ConfigError("cache", `Expected a Cache, got ${kindOf(cache)}`);
  if (typeof log?.follow !== "function") {
    throw new ConfigError("log", `Expected a SyncLog of its own, got ${kindOf(log)}`);
  }
  assertOptions("federate", options ?? null, knownFederate);
  const { from = "beginning", clockPrefix = "fed:clock" } = options;
  const scope = createScope(options.scope);
  const values = booleanOption("values", options.values) ?? false;
  assertText("clockPrefix", clockPrefix, keyPrefixForm, keyPrefixWords);
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
