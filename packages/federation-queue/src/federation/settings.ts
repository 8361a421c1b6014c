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
import { assertText, keyPrefixForm, keyPrefixWords, kindOf } from "../shared/options.ts";
import { createPrimaryClient, type PrimaryClient } from "../shared/primary-client.ts";
import type { FederateOptions } from "./options.ts";
import { createScope, type Scope } from "./scope.ts";
import { tieOf } from "./stamp.ts";

const knownFederate: KnownOptions<FederateOptions> = {
  scope: true,
  values: true,
  retention: true,
  clockPrefix: true,
  from: true,
  timeout: true,
};

/** Options as a federation works with them: checked, defaults filled in. */
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

/** How it is remembered when keys were written. */
export interface ClockSettings {
  readonly keepMs: number;
  /** Where it is kept for a key; its name is the whole key, with the cache's prefix. */
  clockOf(fullKey: string): string;
  /** A hash: patterns that were deleted, and when. */
  readonly marksKey: string;
  /** Of this instance. */
  readonly tie: number;
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
      `Expected \`scope\` to name keys of the cache only, such as "memory:*", got ${JSON.stringify(glob.slice(0, 40))}: what keeps the federation itself would be deleted with it; narrow it, or give the cache a \`keyPrefix\``,
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
          marksKey: clockPrefix,
          tie: tieOf(log.instanceId),
        }
      : undefined,
    from: choiceOption("from", from, ["beginning", "now"]),
    timeoutMs,
    fullKey: (key) => cache.keyPrefix + key,
    fullGlob,
  };
}
