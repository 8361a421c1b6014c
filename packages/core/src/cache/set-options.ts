import { ConfigError } from "../errors/config-error.ts";
import { assertOptions, booleanOption, type KnownOptions } from "../settings/options.ts";
import { type CacheCallOptions, knownCallOptions } from "./call-options.ts";
import { expiryArguments, type TimeToLive } from "./time-to-live.ts";

/** How a value is set. */
export interface SetOptions {
  /** How long it lives; `Infinity` for no expiry. @default its key family's, else the cache's `defaultTtl` */
  readonly ttl?: TimeToLive;
  /** Only if the key does not exist. @default false */
  readonly nx?: boolean;
  /** Only if the key exists. @default false */
  readonly xx?: boolean;
  /**
   * Leaves the time that the key still has; a key that does not exist yet gets the time that it would have without
   * this. Costs a second command, unless `nx` or `xx` says which of the two it is. @default false
   */
  readonly keepTtl?: boolean;
  /**
   * What `invalidateTags` and `expireTags` call it by, besides the tags of its key's pattern: 64 at most. Not in a
   * pipeline, and not together with `nx`, `xx` and `keepTtl`. A value with tags costs a second command and round trip:
   * the tags' markers are read before it is stored. @default none
   */
  readonly tags?: readonly string[];
}

const knownSetOptions: KnownOptions<SetOptions> = { ttl: true, nx: true, xx: true, keepTtl: true, tags: true };
const knownSetCallOptions: KnownOptions<SetOptions & CacheCallOptions> = { ...knownSetOptions, ...knownCallOptions };

/** What stands behind the value of a SET. */
export type SetEnding = readonly (string | number)[];

/**
 * The SETs of one call, by what stands behind the value. A plain `keepTtl` is two of them, of which exactly one takes
 * effect, whatever others do to the key in between: the first where there is a time to keep, else the second.
 */
export function endingsOf({ nx, xx, keepTtl }: SetOptions, ttlMs: number | undefined): readonly SetEnding[] {
  const fresh = expiryArguments(ttlMs);
  if (nx) return [[...fresh, "NX"]];
  if (!keepTtl) return [xx ? [...fresh, "XX"] : fresh];
  const kept = ["KEEPTTL", "XX"];
  return xx ? [kept] : [kept, [...fresh, "NX"]];
}

/** @throws ConfigError when an option is unknown or can't be. */
export function assertSetOptions(
  owner: string,
  options: SetOptions & CacheCallOptions,
  known: "set" | "set and call",
): void {
  assertOptions(owner, options, known === "set" ? knownSetOptions : knownSetCallOptions);
  for (const name of ["nx", "xx", "keepTtl"] as const) booleanOption(name, options[name]);
  const { nx, xx, keepTtl, ttl } = options;
  if (nx && xx) throw new ConfigError("nx", "Expected `nx` or `xx`, got both: no key both exists and does not");
  if (keepTtl && ttl !== undefined) throw new ConfigError("keepTtl", "Expected `ttl` or `keepTtl`, got both");
}
