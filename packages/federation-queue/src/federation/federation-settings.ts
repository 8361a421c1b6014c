import { type Cache, escapeGlob, keyPattern, matchesGlob, toMs, toTimeoutMs } from "@continuum-cache/core";
import type { FederateOptions } from "../federate-options.ts";
import { assertLogKey } from "../log/log-keys.ts";
import { createLink, type Link } from "../queue/link.ts";
import type { SyncLog } from "../sync-log.ts";
import { createScope, type Scope } from "./scope.ts";
import { tieOf } from "./stamp.ts";

/** Options as a federation works with them: checked, defaults filled in. */
export interface FederationSettings {
  readonly cache: Cache;
  readonly log: SyncLog;
  readonly link: Link;
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

/** @throws TypeError or RangeError that quotes what came. */
export function readFederationSettings(cache: Cache, log: SyncLog, options: FederateOptions): FederationSettings {
  if (typeof cache?.observed !== "function") throw new TypeError(`Expected a Cache, got ${typeof cache}`);
  if (typeof log?.follow !== "function") throw new TypeError(`Expected a SyncLog of its own, got ${typeof log}`);
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Expected options with a \`scope\`, got ${options === null ? "null" : typeof options}`);
  }
  const { values = false, from = "beginning", clockPrefix = "fed:clock" } = options;
  const scope = createScope(options.scope);
  if (typeof values !== "boolean") throw new TypeError(`Expected \`values\` to be true or false, got ${typeof values}`);
  if (from !== "beginning" && from !== "now") {
    throw new RangeError(`Expected \`from\` to be "beginning" or "now", got ${JSON.stringify(from)}`);
  }
  assertLogKey(clockPrefix);
  const clock = keyPattern(`${clockPrefix}:{key}`);
  const fullGlob = (glob: string): string => escapeGlob(cache.keyPrefix) + glob;
  for (const glob of scope.globs) {
    const isAll = cache.keyPrefix === "" && /^[*?[]/.test(glob);
    if (!isAll && !matchesGlob(fullGlob(glob), clock({ key: "x" }))) continue;
    throw new RangeError(
      `Expected \`scope\` to name keys of the cache only, such as "memory:*", got ${JSON.stringify(glob.slice(0, 40))}: what keeps the federation itself would be deleted with it; narrow it, or give the cache a \`keyPrefix\``,
    );
  }
  const timeoutMs = toTimeoutMs(options.timeout ?? "5s", "timeout");
  return {
    cache,
    log,
    link: createLink(cache.transport, timeoutMs),
    scope,
    values: values
      ? {
          keepMs: toMs(options.retention ?? "24h", "retention"),
          clockOf: (key) => clock({ key }),
          marksKey: clockPrefix,
          tie: tieOf(log.instanceId),
        }
      : undefined,
    from,
    timeoutMs,
    fullKey: (key) => cache.keyPrefix + key,
    fullGlob,
  };
}
