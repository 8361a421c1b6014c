import type { Duration } from "@continuum-cache/core";

/** Which keys may be held: a glob such as `"memory:*"`, or a key pattern made by `keyPattern`. */
export type NearPattern = string | { match(): string };

/** What a near cache holds, and for how long. */
export interface NearCacheOptions {
  /**
   * No hit is older than this, counted from the start of the last successful look at the invalidations. A look costs
   * one command for all keys; a process that is not used looks at nothing. It should be several round trips long.
   *
   * @default "1s"
   */
  readonly maxStaleness?: Duration;
  /**
   * Which keys are held. Each write of one of them costs a second command, in one transaction with the first. All
   * processes that write these keys need the same patterns, those that only write too.
   *
   * @default ["*"], all keys
   */
  readonly patterns?: readonly NearPattern[];
  /**
   * The most that the values and keys held may take, in bytes as they are stored. The value that was used longest ago
   * makes room.
   *
   * @default 32 MiB
   */
  readonly maxBytes?: number;
  /**
   * What a hit hands out: `"frozen"` one deeply frozen value for all callers, `"copy"` a copy of its own for each,
   * `"shared"` the very object, which callers must not change. A frozen value that can't be frozen through and through
   * (a Map, a Date, bytes) is handed out as copies.
   *
   * @default "frozen"
   */
  readonly values?: "frozen" | "copy" | "shared";
  /**
   * How long a value is held at most. It bounds what the invalidations can't tell: writes of clients that do not take
   * part, such as redis-cli, and the end of a value's time to live at the server.
   *
   * @default "30s"
   */
  readonly ttl?: Duration;
}
