import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import type { CacheCallOptions } from "./call-options.ts";
import type { Request, Requests } from "./requests.ts";
import { assertSetOptions, type SetOptions } from "./set-options.ts";
import type { TimeToLive } from "./time-to-live.ts";

/**
 * Operations that travel together, in order, in one round trip; each adds the type of its result to the tuple that
 * `execute` resolves to. (One round trip, not one command: Upstash bills each command in it.)
 *
 * @example
 * ```ts
 * import type { Cache } from "@continuum-cache/core";
 *
 * async function visit(cache: Cache): Promise<number> {
 *   const [visits] = await cache.pipeline().increment("visits").expire("visits", "1d").execute();
 *   return visits;
 * }
 * ```
 */
export interface Pipeline<Results extends readonly unknown[] = []> {
  set(key: string, value: unknown, options?: SetOptions): Pipeline<[...Results, boolean]>;
  get<T = unknown>(key: string): Pipeline<[...Results, T | undefined]>;
  delete(...keys: string[]): Pipeline<[...Results, number]>;
  exists(key: string): Pipeline<[...Results, boolean]>;
  expire(key: string, ttl: TimeToLive): Pipeline<[...Results, boolean]>;
  ttl(key: string): Pipeline<[...Results, number]>;
  increment(key: string, by?: number): Pipeline<[...Results, number]>;
  lpush(key: string, ...values: unknown[]): Pipeline<[...Results, number]>;
  rpush(key: string, ...values: unknown[]): Pipeline<[...Results, number]>;
  lpop<T = unknown>(key: string): Pipeline<[...Results, T | undefined]>;
  rpop<T = unknown>(key: string): Pipeline<[...Results, T | undefined]>;
  lrange<T = unknown>(key: string, start: number, stop: number): Pipeline<[...Results, (T | undefined)[]]>;
  llen(key: string): Pipeline<[...Results, number]>;
  publish(channel: string, data: unknown): Pipeline<[...Results, number]>;
  /** How many operations it holds. */
  readonly length: number;
  /**
   * Sends everything and resolves to all results. May be called again: it sends everything again.
   *
   * @throws CommandError the first that Redis answered; the other operations have run nevertheless.
   * @throws TransportError when no answer came.
   */
  execute(options?: CacheCallOptions): Promise<Results>;
  /** The same, but an operation that Redis refused only fails its own slot. */
  executeSettled(
    options?: CacheCallOptions,
  ): Promise<{ [Index in keyof Results]: PromiseSettledResult<Results[Index]> }>;
}

/** Sends requests in one trip and settles each by itself. */
export type RunBatch = (
  requests: readonly Request<unknown>[],
  options: CacheCallOptions,
) => Promise<PromiseSettledResult<unknown>[]>;

/** @param givesTags - Whether a key gives tags to its values: their markers would have to be read first. */
export function createPipeline(make: Requests, givesTags: (key: string) => boolean, runBatch: RunBatch): Pipeline {
  const requests: Request<unknown>[] = [];
  const add = (request: Request<unknown>): never => {
    requests.push(request);
    // The pipeline grows in place; only its type is a new one.
    return pipeline as never;
  };
  const pipeline: Pipeline = {
    set(key, value, options = {}) {
      assertSetOptions("pipeline.set", options, "set");
      if (options.tags !== undefined || givesTags(key)) throw taggedError(key);
      return add(make.set(key, value, options));
    },
    get: (key) => add(make.get(key)),
    delete: (...keys) => add(make.delete(keys)),
    exists: (key) => add(make.exists(key)),
    expire: (key, ttl) => add(make.expire(key, ttl)),
    ttl: (key) => add(make.ttl(key)),
    increment: (key, by) => add(make.increment(key, by)),
    lpush: (key, ...values) => add(make.push("LPUSH", key, values)),
    rpush: (key, ...values) => add(make.push("RPUSH", key, values)),
    lpop: (key) => add(make.pop("LPOP", key)),
    rpop: (key) => add(make.pop("RPOP", key)),
    lrange: (key, start, stop) => add(make.lrange(key, start, stop)),
    llen: (key) => add(make.llen(key)),
    publish: (channel, data) => add(make.publish(channel, data)),
    get length() {
      return requests.length;
    },
    async execute(options = {}) {
      return valuesOf(await verified(await runBatch(requests, options))) as [];
    },
    async executeSettled(options = {}) {
      return (await verified(await runBatch(requests, options))) as [];
    },
  };
  return pipeline;
}

/** The same once the tags of what was read are verified: until then such a value is a promise. */
function verified(
  slots: readonly PromiseSettledResult<unknown>[],
): readonly PromiseSettledResult<unknown>[] | Promise<PromiseSettledResult<unknown>[]> {
  const isPromise = (slot: PromiseSettledResult<unknown>): boolean =>
    slot.status === "fulfilled" && slot.value instanceof Promise;
  if (!slots.some(isPromise)) return slots;
  return Promise.allSettled(
    slots.map((slot) => (slot.status === "fulfilled" ? slot.value : Promise.reject(slot.reason))),
  );
}

const taggedError = (key: unknown): ConfigError =>
  new ConfigError(
    "tags",
    `A pipeline can't store a value with tags, as that of ${quoted(key)}: store it by cache.set or cache.setMany`,
  );

/** What came of each. @throws what the first that failed did. */
export function valuesOf(slots: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return slots.map((slot) => {
    if (slot.status === "rejected") throw slot.reason;
    return slot.value;
  });
}
