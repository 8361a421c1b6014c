import type { StandardSchema } from "../../keys/standard-schema.ts";
import type { Duration } from "../../time/duration.ts";
import type { TimeToLive } from "../time-to-live.ts";

/** How long a loaded value is served, what stands in for it when loading fails, and what is kept at all. */
export interface FreshnessOptions<T = unknown> {
  /**
   * How long the loaded value is fresh: a time, or a function of the value that returns one. What it returns is checked
   * after the load; a wrong time rejects with a `ConfigError`, and nothing is stored. @default its key family's, else
   * the cache's `defaultTtl`
   */
  readonly ttl?: TimeToLive | ((value: T) => TimeToLive);
  /** How long the loader may take; then all calls that wait get a `TransportError` of kind `timeout`. @default "30s" */
  readonly loaderTimeout?: Duration;
  /**
   * For so long after its `ttl` a value is served at once while one call of this process loads it anew in the
   * background (RFC 5861). A failure of that load emits an `error` event. @default not at all
   */
  readonly staleWhileRevalidate?: Duration;
  /**
   * For so long after its `ttl` a value stands in when the loader fails or takes longer than `softTimeout`. The failure
   * emits an `error` event. @default not at all
   */
  readonly staleIfError?: Duration;
  /**
   * With a value at hand that `staleIfError` allows, a call waits no longer than this for the loader, which goes on.
   * @default as long as the call's own `timeout` allows, else until the loader ends
   */
  readonly softTimeout?: Duration;
  /**
   * Loads a value anew in the background shortly before it ends, by probability: the nearer the end and the longer the
   * last load took, the likelier (XFetch). A greater `beta` begins earlier. @default false; `true` is a beta of 1
   */
  readonly refreshAhead?: boolean | { readonly beta?: number };
  /**
   * Makes each time to live longer or shorter by up to this share of it, by chance, so that values which were stored
   * together do not end together. From 0 to below 1. @default 0
   */
  readonly jitter?: number;
  /** Whether a loaded value is stored; `undefined` never is. @default every other value is */
  readonly cacheIf?: (value: T) => boolean;
  /**
   * What values must fit. A stored value that does not is a miss, with an `error` event; a loaded one fails the load.
   * Callers get what the schema makes of the value. @default values are not checked
   */
  readonly schema?: StandardSchema<unknown, T>;
  /**
   * `"global"`: of all processes that miss the key one loads, and the others wait for what it stores; of those that
   * serve a stale value meanwhile one loads anew. See docs/single-flight.md. `"process"`: one load in each process.
   * @default "process"
   */
  readonly singleFlight?: "global" | "process";
  /**
   * What `invalidateTags` and `expireTags` call the value by: texts, or a function of the value that returns them. They
   * are added to those of its key's pattern: 64 at most. Tags that a function returns cost one command more. Where an
   * invalidation during the load may concern them the value is returned, but not stored. @default none
   */
  readonly tags?: readonly string[] | ((value: T) => readonly string[]);
  /**
   * Keeps a request of an edge runtime at work until what goes on behind the answer has ended, such as
   * `(work) => ctx.waitUntil(work)`. Without it, work in the background ends there with its request, and the next call
   * takes it over. @default Node, Deno and Bun need none
   */
  readonly waitUntil?: (work: Promise<unknown>) => void;
}
