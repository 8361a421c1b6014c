import { ConfigError } from "@continuum-cache/core";
import { assertOptions, choiceOption, type KnownOptions, toMs, wholeNumberOption } from "@continuum-cache/core/kit";
import type { NearCacheOptions } from "./options.ts";

const known: KnownOptions<NearCacheOptions> = {
  maxStaleness: true,
  patterns: true,
  maxBytes: true,
  values: true,
  ttl: true,
};

/** The options of a near cache, checked, with defaults. */
export interface NearCacheSettings {
  readonly maxStalenessMs: number;
  /** Without the prefix of a cache. */
  readonly globs: readonly string[];
  readonly maxBytes: number;
  readonly values: "frozen" | "copy" | "shared";
  readonly ttlMs: number;
}

/** @throws ConfigError that quotes what came. */
export function readNearCacheOptions(options: NearCacheOptions = {}): NearCacheSettings {
  assertOptions("nearCache", options, known);
  const { maxStaleness = "1s", patterns = ["*"], maxBytes = 32 << 20, values = "frozen", ttl = "30s" } = options;
  if (!Array.isArray(patterns) || patterns.length === 0) {
    throw new ConfigError(
      "patterns",
      `Expected \`patterns\` to be a list such as ["memory:*"], got ${shown(patterns)}`,
    );
  }
  return {
    maxStalenessMs: toMs(maxStaleness, "maxStaleness"),
    globs: patterns.map(globOf),
    maxBytes: wholeNumberOption("maxBytes", maxBytes),
    values: choiceOption("values", values, ["frozen", "copy", "shared"]),
    ttlMs: toMs(ttl, "ttl"),
  };
}

function globOf(pattern: unknown): string {
  if (typeof pattern === "string" && pattern !== "") return pattern;
  const { match } = (pattern ?? {}) as { match?: () => string };
  if (typeof pattern === "function" && typeof match === "function") return match();
  const text = 'Expected each of `patterns` to be a glob such as "memory:*" or a key pattern';
  throw new ConfigError("patterns", `${text}, got ${shown(pattern)}`);
}

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);
