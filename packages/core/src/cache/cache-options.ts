import { type Codec, codecsOption } from "../codecs/codec.ts";
import { json } from "../codecs/json.ts";
import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import type { KeyFamily } from "../keys/key-pattern.ts";
import type { NearCache } from "../ports/near-cache.ts";
import type { Transport } from "../ports/transport.ts";
import { assertOptions, type KnownOptions, wholeNumberOption } from "../settings/options.ts";
import { isWellFormed } from "../text/text.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";
import { type TimeToLive, ttlToMs } from "./time-to-live.ts";

/** What a cache is made of. */
export interface CacheOptions {
  /** The backend, or a stack of them. It is closed when the last cache on it is. */
  readonly transport: Transport;
  /** How values are written. Of a list the first writes and all read; JSON is always read. @default json() */
  readonly codec?: Codec | readonly Codec[];
  /** Put before every key and pattern, so that several caches can share a database. @default "" */
  readonly keyPrefix?: string;
  /** How long values live when neither the call nor the key's pattern says; `Infinity` for no expiry. @default "5m" */
  readonly defaultTtl?: TimeToLive;
  /**
   * Key families whose time to live holds for strings spelled by hand too, such as `Object.values(keys)`: for a
   * program that gets its keys from elsewhere. A key that a pattern has made needs no mention here. @default none
   */
  readonly patterns?: readonly KeyFamily[];
  /** Larger values are not stored: `set` answers false, and the `skipped` event tells. In bytes. @default 102_400 */
  readonly maxValueBytes?: number;
  /** How long a call may take. @default "5s" */
  readonly timeout?: Duration;
  /** Keeps values in this process: `nearCache()` of `@continuum-cache/near-cache`. @default none */
  readonly near?: NearCache;
}

const known: KnownOptions<CacheOptions> = {
  transport: true,
  codec: true,
  keyPrefix: true,
  defaultTtl: true,
  patterns: true,
  maxValueBytes: true,
  timeout: true,
  near: true,
};

/** The options of a cache, checked, with defaults. */
export interface CacheSettings {
  readonly transport: Transport;
  readonly codecs: readonly Codec[];
  readonly keyPrefix: string;
  /** `undefined` for no expiry. */
  readonly defaultTtlMs: number | undefined;
  readonly patterns: readonly KeyFamily[];
  readonly maxValueBytes: number;
  readonly timeoutMs: number;
  readonly near: NearCache | undefined;
}

/** @throws ConfigError that quotes what came. */
export function readCacheOptions(options: CacheOptions): CacheSettings {
  assertOptions("new Cache", options ?? {}, known);
  const { transport, codec = json(), keyPrefix = "", defaultTtl = "5m", patterns = [], near } = options ?? {};
  if (typeof transport?.send !== "function") {
    throw new ConfigError(
      "transport",
      `Expected \`transport\` to be a Transport such as restTransport({ url, token }), got ${quoted(transport)}`,
    );
  }
  const codecs = codecsOption(codec);
  if (typeof keyPrefix !== "string" || !isWellFormed(keyPrefix)) {
    throw new ConfigError("keyPrefix", `Expected \`keyPrefix\` to be a well-formed string, got ${quoted(keyPrefix)}`);
  }
  if (!Array.isArray(patterns) || !patterns.every((pattern) => typeof pattern?.parse === "function")) {
    throw new ConfigError("patterns", `Expected \`patterns\` to be a list of key patterns, got ${quoted(patterns)}`);
  }
  if (near !== undefined && typeof near?.attach !== "function") {
    throw new ConfigError("near", `Expected \`near\` to be made by nearCache(), got ${quoted(near)}`);
  }
  return {
    transport,
    codecs,
    keyPrefix,
    defaultTtlMs: ttlToMs(defaultTtl, "defaultTtl"),
    patterns,
    maxValueBytes: wholeNumberOption("maxValueBytes", options.maxValueBytes ?? 102_400),
    timeoutMs: toTimeoutMs(options.timeout ?? "5s", "timeout"),
    near,
  };
}
