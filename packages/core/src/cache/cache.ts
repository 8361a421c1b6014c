import type { Codec } from "../codecs/codec.ts";
import { escapeGlob } from "../keys/glob-text.ts";
import type { NearStore } from "../ports/near-cache.ts";
import type { Backend, Command, Outage, SendOptions, Transport } from "../ports/transport.ts";
import { assertOptions } from "../settings/options.ts";
import { assertKeyList, readDeleteArguments, readEntries } from "./arguments.ts";
import type { CacheEvents, WriteObserver } from "./cache-events.ts";
import type { CacheOptions } from "./cache-options.ts";
import type { CacheStats } from "./cache-stats.ts";
import { type CacheCallOptions, knownCallOptions, toSendOptions } from "./call-options.ts";
import { raw, together } from "./calls.ts";
import { assertDeletePattern, type DeletePatternOptions, deletePatternWithin } from "./delete-pattern.ts";
import { createEngine, type Engine, observedEngine } from "./engine.ts";
import { LoadCalls } from "./load-calls.ts";
import { nearFor } from "./near-use.ts";
import { createPipeline, type Pipeline, valuesOf } from "./pipeline.ts";
import type { Request } from "./requests.ts";
import { isAnswer, readInfo, type ServerInfo } from "./server-info.ts";
import { assertSetOptions, type SetOptions } from "./set-options.ts";
import type { TimeToLive } from "./time-to-live.ts";

/**
 * The cache. Calls made in the same tick share one round trip, and their reads one MGET. On the memory of this process
 * each call is answered without waiting for others.
 *
 * A call rejects with a `TransportError` when no answer came by its deadline, with a `CommandError` when Redis refused
 * it, and before anything is sent: with a `ConfigError` for a wrong option, a `TypeError`, `RangeError` or `CodecError`
 * for a wrong key or value.
 *
 * @example
 * ```ts
 * import { Cache, keys, type Transport } from "@continuum-cache/core";
 *
 * async function greet(transport: Transport): Promise<void> {
 *   const cache = new Cache({ transport });
 *   const key = keys.session({ userId: "user_123" });
 *   await cache.set(key, { name: "Ada" }); // lives 1 h, as sessions do
 *   console.log(await cache.get<{ name: string }>(key)); // { name: "Ada" }
 *   await cache.close();
 * }
 * ```
 */
export class Cache extends LoadCalls implements AsyncDisposable {
  /** The backend, for features built on the cache. */
  readonly transport: Transport;
  /** The prefix of every key of this cache. */
  readonly keyPrefix: string;
  /** How values are written and read, for features built on the cache. */
  readonly codec: Codec;
  protected override readonly engine: Engine;
  /** The options of calls of this view that bring none of their own, and the same in the form for a transport. */
  protected override readonly defaults: CacheCallOptions | undefined;
  private readonly sendDefaults: SendOptions = {};
  /** The values held in this process that calls of this view may get. */
  private readonly near: NearStore | undefined;

  constructor(options: CacheOptions) {
    super();
    this.engine = createEngine(options);
    ({ transport: this.transport, keyPrefix: this.keyPrefix, codec: this.codec, near: this.near } = this.engine);
  }

  /** The same cache with other default options for its calls. */
  with(options: CacheCallOptions): this {
    const sendDefaults = this.asked(options, "with");
    const defaults = { ...this.defaults, ...options };
    return this.view({ defaults, sendDefaults, near: nearFor(this.engine.near, defaults) });
  }

  /** The same cache, whose calls report what they have written to a `WriteObserver` before they resolve. */
  observed(observer: WriteObserver): this {
    return this.view({ engine: observedEngine(this.engine, observer) });
  }

  /** Marks in-flight `getOrSet` loads of keys that may match as outdated: callers get the value, it is not stored. */
  outdate(glob: string): void {
    this.engine.outdate(escapeGlob(this.keyPrefix) + glob);
  }

  /** Stores a value. @returns true; false when it was skipped: too large, or the condition was not met. */
  set(key: string, value: unknown, options?: SetOptions & CacheCallOptions): Promise<boolean> {
    return this.engine.calls.one(() => {
      if (options !== undefined) assertSetOptions("cache.set", options, "set and call");
      return [this.engine.requests.set(key, value, options), this.asked(options)];
    });
  }

  /** Reads a value. @returns undefined on a miss (`null` is a value like any other), or when the key is no string. */
  get<T = unknown>(key: string, options?: CacheCallOptions): Promise<T | undefined> {
    if (this.near !== undefined) return this.getNear(this.near, key, options) as Promise<T | undefined>;
    const { calls, requests } = this.engine;
    const asked = options === undefined ? this.sendDefaults : () => this.asked(options, "get");
    return calls.read(requests.get, key, asked) as Promise<T | undefined>;
  }

  /**
   * The value that the near cache holds under a key and knows to be fresh enough, at once; else undefined. It sends
   * nothing, so it finds only what this process has read before.
   */
  peek<T = unknown>(key: string): T | undefined {
    return this.near?.peek(key) as T | undefined;
  }

  /** Reads several values in one round trip; they come in the order of their keys. */
  async getMany<T = unknown>(keys: readonly string[], options?: CacheCallOptions): Promise<(T | undefined)[]> {
    const asked = this.asked(options, "getMany");
    assertKeyList(keys);
    const requests = keys.map((key) => this.engine.requests.get(key));
    return this.engine.calls.readAll(requests, asked) as Promise<(T | undefined)[]>;
  }

  /**
   * Stores several values in one round trip (each is a command of its own, and billed so).
   *
   * @returns true; false when at least one was skipped: the `skipped` event tells which.
   * @throws CommandError the first that Redis answered; the others have been stored nevertheless.
   */
  async setMany(
    entries: Readonly<Record<string, unknown>> | Iterable<readonly [key: string, value: unknown]>,
    options: SetOptions & CacheCallOptions = {},
  ): Promise<boolean> {
    assertSetOptions("cache.setMany", options, "set and call");
    const requests = readEntries(entries).map(([key, value]) => this.engine.requests.set(key, value, options));
    const slots = await this.engine.calls.one(() => [together("setMany", requests), this.asked(options)]);
    return valuesOf(slots).every((isStored) => isStored === true);
  }

  /** Deletes keys. A last argument that is no string holds call options. @returns how many existed. */
  override async delete(...keys: readonly string[] | readonly [...string[], CacheCallOptions]): Promise<number> {
    const [names, options] = readDeleteArguments(keys);
    return this.one(() => this.engine.requests.delete(names), options);
  }

  /**
   * Deletes all keys that match a glob, in batches (SCAN and UNLINK, never KEYS). All of them together have the call's
   * deadline: give a large database more `timeout`. What was deleted by then, or when the signal fires, stays deleted.
   * @returns how many were deleted.
   */
  async deletePattern(glob: string, options: DeletePatternOptions & CacheCallOptions = {}): Promise<number> {
    assertDeletePattern(glob, options);
    const full = escapeGlob(this.keyPrefix) + glob;
    this.engine.outdate(full);
    const { calls, timeoutMs } = this.engine;
    const asked = { timeoutMs, ...this.asked(options), invalidates: [full] };
    const send = (part: readonly Command[], own: SendOptions) => calls.one(() => [raw("deletePattern", part), own]);
    return deletePatternWithin(this.transport, asked, send, full, options);
  }

  /** Whether a key exists: one that is only being loaded does not, nor does an empty text of another client. */
  exists(key: string, options?: CacheCallOptions): Promise<boolean> {
    return this.one(() => this.engine.requests.exists(key), options);
  }

  /** Gives a key a new time to live; `Infinity` takes its expiry away. @returns false when there is no such key. */
  expire(key: string, ttl: TimeToLive, options?: CacheCallOptions): Promise<boolean> {
    return this.one(() => this.engine.requests.expire(key, ttl), options);
  }

  /** Seconds that a key has left: -1 for ever, -2 when there is none; of a key that is being loaded, its lease's. */
  ttl(key: string, options?: CacheCallOptions): Promise<number> {
    return this.one(() => this.engine.requests.ttl(key), options);
  }

  /** Adds a whole number to a counter, which begins at 0 and has no expiry of its own. @returns the new count. */
  increment(key: string, by = 1, options?: CacheCallOptions): Promise<number> {
    const run = () => this.one(() => this.engine.requests.increment(key, by), options);
    return this.engine.incrementLoading(key, by, run, () => this.asked(options));
  }

  /** Puts values before the first of a list, one after the other. @returns the list's new length. */
  lpush(key: string, ...values: unknown[]): Promise<number> {
    return this.one(() => this.engine.requests.push("LPUSH", key, values));
  }

  /** Puts values after the last of a list. @returns the list's new length. */
  rpush(key: string, ...values: unknown[]): Promise<number> {
    return this.one(() => this.engine.requests.push("RPUSH", key, values));
  }

  /** Takes the first value off a list. @returns undefined when there is none. */
  lpop<T = unknown>(key: string, options?: CacheCallOptions): Promise<T | undefined> {
    return this.one(() => this.engine.requests.pop("LPOP", key), options) as Promise<T | undefined>;
  }

  /** Takes the last value off a list. @returns undefined when there is none. */
  rpop<T = unknown>(key: string, options?: CacheCallOptions): Promise<T | undefined> {
    return this.one(() => this.engine.requests.pop("RPOP", key), options) as Promise<T | undefined>;
  }

  /** The values of a list from `start` to `stop`, both included; negative indexes count from the end. */
  lrange<T = unknown>(
    key: string,
    start: number,
    stop: number,
    options?: CacheCallOptions,
  ): Promise<(T | undefined)[]> {
    return this.one(() => this.engine.requests.lrange(key, start, stop), options) as Promise<(T | undefined)[]>;
  }

  /** How many values a list holds. */
  llen(key: string, options?: CacheCallOptions): Promise<number> {
    return this.one(() => this.engine.requests.llen(key), options);
  }

  /**
   * Tells all who listen to a channel, at most once: `@continuum-cache/pubsub` listens, and can keep a history. A
   * message may be as large as a value, see `maxValueBytes`. @returns how many connections heard it.
   */
  publish(channel: string, data: unknown, options?: CacheCallOptions): Promise<number> {
    return this.one(() => this.engine.requests.publish(channel, data), options);
  }

  /** Operations in one round trip. */
  pipeline(): Pipeline {
    return this.batchOf("pipeline", false);
  }

  /** The same, atomic: no command of another client runs in between (MULTI/EXEC). */
  transaction(): Pipeline {
    return this.batchOf("transaction", true);
  }

  /** Whether the current backend answers. Rejects only when called with `fallback: false`. */
  async ping(options?: CacheCallOptions): Promise<boolean> {
    const pong = this.one(() => raw("ping", [["PING"]]), options);
    return isAnswer(pong, { ...this.defaults, ...options });
  }

  /** Facts about the server. */
  async info(options?: CacheCallOptions): Promise<ServerInfo> {
    const replies = await this.one(() => raw("info", [["INFO"], ["DBSIZE"]]), options);
    const { currentBackend, pending, outage } = this;
    return { ...readInfo(replies, currentBackend), pending, outage };
  }

  /** Counters and latencies of this process's cache, and its present state. */
  stats(): CacheStats {
    const { currentBackend: backend, pending, outage } = this;
    const counts = this.engine.stats.snapshot(this.engine.near?.stats());
    return { ...counts, backend, pending, outage };
  }

  /** `"upstash"` while any primary answers, `"local"` while the memory of this process does. */
  get currentBackend(): Backend {
    return this.transport.status?.currentBackend ?? "upstash";
  }

  /** Mutations made while local that the primary has not confirmed yet. */
  get pending(): number {
    return this.transport.status?.pending ?? 0;
  }

  /** Since when and why answers come from the memory of this process, and what waits for the primary. */
  get outage(): Outage | undefined {
    return this.transport.status?.outage;
  }

  /** Calls the listener on each such event; returns what stops it. @throws ConfigError for an unknown event. */
  on<Name extends keyof CacheEvents>(event: Name, listener: (event: CacheEvents[Name]) => void): () => void {
    return this.engine.events.on(event, listener);
  }

  /** Resolves when all calls made so far have been answered. */
  async flush(): Promise<void> {
    await this.engine.batcher.settled();
  }

  /**
   * Waits for calls in flight, then gives back sockets and timers. Writes that the primary has not confirmed are sent
   * once more, within the fallback's `closeTimeout`; an `error` event says what remained. A transport
   * that several caches share is closed with the last of them. Safe to call twice.
   */
  async close(): Promise<void> {
    await this.engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private one<Result>(make: () => Request<Result>, options?: CacheCallOptions): Promise<Result> {
    const asked = (request: Request<Result>) => [request, this.asked(options, request.operation)] as const;
    return this.engine.calls.one(() => asked(make()));
  }

  /** What a call asks of its round trip. @param method - Checks the options, of which this method has no others. */
  private asked(options: CacheCallOptions | undefined, method?: string): SendOptions {
    if (options === undefined) return this.sendDefaults;
    if (method !== undefined) assertOptions(`cache.${method}`, options, knownCallOptions);
    return toSendOptions({ ...this.defaults, ...options });
  }

  private getNear(near: NearStore, key: string, options: CacheCallOptions | undefined): Promise<unknown> {
    if (options === undefined) {
      const held = near.get(key);
      return held === undefined ? near.read(key, this.sendDefaults) : Promise.resolve(held);
    }
    const { calls, requests } = this.engine;
    const asked = (): SendOptions => this.asked(options, "get");
    if (!nearFor(near, options)) return calls.read(requests.get, key, asked);
    try {
      return near.read(key, asked());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private batchOf(operation: string, atomic: boolean): Pipeline {
    return createPipeline(this.engine.requests, async (requests, options) => {
      const asked = this.asked(options, `${operation}().execute`);
      return this.engine.calls.one(() => [together(operation, requests), { ...asked, ...(atomic && { atomic }) }]);
    });
  }

  /** Another instance of the same class with the fields of this one, some of them replaced. */
  private view(own: ViewFields): this {
    return Object.assign(Object.create(Object.getPrototypeOf(this)), this, own);
  }
}

/** The fields in which a view differs from its cache. */
interface ViewFields {
  readonly engine?: Engine;
  readonly defaults?: CacheCallOptions;
  readonly sendDefaults?: SendOptions;
  readonly near?: NearStore | undefined;
}
