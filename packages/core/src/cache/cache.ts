import type { Codec } from "../codecs/codec.ts";
import { escapeGlob } from "../keys/glob-text.ts";
import { madeKeys } from "../keys/made-keys.ts";
import type { Key, ValueOf } from "../keys/typed-key.ts";
import type { NearStore } from "../ports/near-cache.ts";
import type { Backend, Outage, SendOptions, Transport } from "../ports/transport.ts";
import { assertOptions } from "../settings/options.ts";
import { withDeadline } from "../time/with-deadline.ts";
import { assertKeyList, readDeleteArguments, readEntries } from "./arguments.ts";
import type { CacheEvents, WriteObserver } from "./cache-events.ts";
import type { CacheOptions } from "./cache-options.ts";
import type { CacheStats } from "./cache-stats.ts";
import { type CacheCallOptions, knownCallOptions, toSendOptions } from "./call-options.ts";
import { raw, together } from "./calls.ts";
import type { DeletePatternOptions } from "./delete-pattern.ts";
import { createEngine, type Engine, observedEngine } from "./engine.ts";
import { isAnswer } from "./is-answer.ts";
import { loadFeatures } from "./load-features.ts";
import type { Namespace } from "./namespace.ts";
import { nearFor } from "./near-use.ts";
import { createPipeline, type Pipeline, valuesOf } from "./pipeline.ts";
import { ReadRequest, type Request, type Requests } from "./requests.ts";
import type { ServerInfo } from "./server-info.ts";
import { assertSetOptions, type SetOptions } from "./set-options.ts";
import { TagCalls } from "./tag-calls.ts";

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
export class Cache extends TagCalls implements AsyncDisposable {
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

  /**
   * A part of the cache with its own keys and tags, such as one for each tenant: `clear` invalidates all its values by
   * one command. Its keys have its name before them; namespaces can be nested. It holds values alone: counters, lists
   * and writes in a pipeline reject.
   *
   * @throws ConfigError when the name is no non-empty string.
   */
  namespace(name: string): this & Namespace {
    const engine = this.engine.namespace(name);
    const verified = (method: (typeof verifiedCalls)[number]) => [
      method,
      function (this: Cache, ...given: unknown[]): Promise<unknown> {
        return this.tagged<unknown>((tagged) => tagged[method](this.engine, given, (own) => this.asked(own, method)));
      },
    ];
    const calls = Object.fromEntries(verifiedCalls.map(verified));
    return Object.assign(this.view({ engine, near: undefined }), { keyPrefix: engine.keyPrefix, ...calls }) as never;
  }

  /** Marks in-flight `getOrSet` loads of keys that may match as outdated: callers get the value, it is not stored. */
  outdate(glob: string): void {
    this.engine.outdate(escapeGlob(this.keyPrefix) + glob);
  }

  /** Stores a value. @returns true; false when it was skipped: too large, or the condition was not met. */
  set<K extends string>(key: K, value: ValueOf<K>, options?: SetOptions & CacheCallOptions): Promise<boolean> {
    const { tagging } = this.engine;
    if (options?.tags !== undefined || ((tagging.isOn || madeKeys.needMore) && tagging.givesTags(key))) {
      return this.setTagged([[key, value]], options, "set");
    }
    return this.engine.calls.one(() => {
      if (options !== undefined) assertSetOptions("cache.set", options, "set and call");
      return [this.engine.requests.set(key, value, options), this.asked(options)];
    });
  }

  /** Reads a value. @returns undefined on a miss (`null` is a value like any other), or when the key is no string. */
  get<Value>(key: Key<Value>, options?: CacheCallOptions): Promise<Value | undefined>;
  get<T = unknown>(key: string, options?: CacheCallOptions): Promise<T | undefined>;
  get<T>(key: string, options?: CacheCallOptions): Promise<T | undefined> {
    if (this.near !== undefined) return this.getNear(this.near, key, options) as Promise<T | undefined>;
    const { calls, requests, tagging } = this.engine;
    const asked = options === undefined ? this.sendDefaults : () => this.asked(options, "get");
    if ((tagging.isOn || madeKeys.needMore) && tagging.reads(key)) {
      return this.tagged((tagged) => tagged.get(this.engine, key, this.asked(options, "get"))) as Promise<
        T | undefined
      >;
    }
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
  getMany<Value>(keys: readonly Key<Value>[], options?: CacheCallOptions): Promise<(Value | undefined)[]>;
  getMany<T = unknown>(keys: readonly string[], options?: CacheCallOptions): Promise<(T | undefined)[]>;
  async getMany<T>(keys: readonly string[], options?: CacheCallOptions): Promise<(T | undefined)[]> {
    const asked = this.asked(options, "getMany");
    assertKeyList(keys);
    const { tagging } = this.engine;
    if (keys.some(tagging.reads)) {
      const tagged = tagging.calls ?? (await tagging.load());
      return tagged.getMany(this.engine, keys, asked) as Promise<(T | undefined)[]>;
    }
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
    const list = readEntries(entries);
    if (options.tags !== undefined || list.some(([key]) => this.engine.tagging.givesTags(key))) {
      return this.setTagged(list, options, "setMany");
    }
    const requests = list.map(([key, value]) => this.engine.requests.set(key, value, options));
    const slots = await this.engine.calls.one(() => [together("setMany", requests), this.asked(options)]);
    return valuesOf(slots).every((isStored) => isStored === true);
  }

  /** Deletes keys. A last argument that is no string holds call options. @returns how many existed. */
  override async delete(...keys: readonly string[] | readonly [...string[], CacheCallOptions]): Promise<number> {
    const [names, options] = readDeleteArguments(keys);
    return this.one((requests) => requests.delete(names), options);
  }

  /**
   * Deletes all keys that match a glob, in batches (SCAN and UNLINK, never KEYS). All of them together have the call's
   * deadline: give a large database more `timeout`. What was deleted by then, or when the signal fires, stays deleted.
   * @returns how many were deleted.
   */
  async deletePattern(glob: string, options: DeletePatternOptions & CacheCallOptions = {}): Promise<number> {
    const { timeoutMs = this.engine.timeoutMs, signal } = this.asked(options);
    const startedMs = performance.now();
    // A call that ends while its code is being loaded ends at once.
    const { deletePatternOf } = await withDeadline("cache", { timeoutMs, ...(signal && { signal }) }, loadFeatures);
    const leftMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - startedMs)));
    return deletePatternOf(this.engine, (own) => ({ ...this.asked(own), timeoutMs: leftMs }), glob, options);
  }

  /**
   * Tells all who listen to a channel, at most once: `@continuum-cache/pubsub` listens, and can keep a history. A
   * message may be as large as a value, see `maxValueBytes`. @returns how many connections heard it.
   */
  publish(channel: string, data: unknown, options?: CacheCallOptions): Promise<number> {
    return this.one((requests) => requests.publish(channel, data), options);
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
    const { readInfo } = await loadFeatures();
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

  protected override one<Result>(
    make: (requests: Requests) => Request<Result>,
    options?: CacheCallOptions,
  ): Promise<Result> {
    const asked = (request: Request<Result>) => [request, this.asked(options, request.operation)] as const;
    return this.engine.calls.one(() => asked(make(this.engine.requests)));
  }

  protected override asked(options: CacheCallOptions | undefined, method?: string): SendOptions {
    if (options === undefined) return this.sendDefaults;
    if (method !== undefined) assertOptions(`cache.${method}`, options, knownCallOptions);
    return toSendOptions({ ...this.defaults, ...options });
  }

  private getNear(near: NearStore, key: string, options: CacheCallOptions | undefined): Promise<unknown> {
    const hasSchema = this.engine.tagging.schemaOf(key) !== undefined;
    if (options === undefined && !hasSchema) {
      const held = near.get(key);
      return held === undefined ? near.read(key, this.sendDefaults) : Promise.resolve(held);
    }
    try {
      const asked = this.asked(options, "get");
      if (!nearFor(near, options)) return this.engine.read(key, asked);
      if (!hasSchema) return near.read(key, asked);
      return this.tagged((tagged) => tagged.getNear(near, this.engine, key, asked));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private batchOf(operation: string, atomic: boolean): Pipeline {
    return createPipeline(this.engine.requests, this.engine.tagging.givesTags, async (requests, options) => {
      const asked = this.asked(options, `${operation}().execute`);
      const sent = { options: asked, startedMs: performance.now() };
      for (const request of requests) if (request instanceof ReadRequest) Object.assign(request, sent);
      return this.engine.calls.one(() => [together(operation, requests), { ...asked, ...(atomic && { atomic }) }]);
    });
  }

  /** Another instance of the same class with the fields of this one, some of them replaced. */
  private view(own: ViewFields): this {
    return Object.assign(Object.create(Object.getPrototypeOf(this)), this, own);
  }
}

/** The calls that verify a value of a namespace. */
const verifiedCalls = ["clear", "exists", "expire", "ttl"] as const;

/** The fields in which a view differs from its cache. */
interface ViewFields {
  readonly engine?: Engine;
  readonly defaults?: CacheCallOptions;
  readonly sendDefaults?: SendOptions;
  readonly near?: NearStore | undefined;
}
