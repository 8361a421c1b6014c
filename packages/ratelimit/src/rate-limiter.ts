import { ConfigError, type Duration, type Events, type Transport } from "@continuum-cache/core";
import {
  assertOptions,
  batched,
  choiceOption,
  createBreaker,
  createEvents,
  type KnownOptions,
  primaryOf,
  signalOption,
  toTimeoutMs,
} from "@continuum-cache/core/kit";
import { type AcquireQueue, createAcquireQueue } from "./limits/acquire-queue.ts";
import { createDenyCache, noDenyCache } from "./limits/deny-cache.ts";
import { knownLimitOptions, type LimitDefaults, type LimitRequest } from "./limits/limit-request.ts";
import { createLimits, type Limits } from "./limits/limits.ts";
import { createLocalLimits } from "./limits/local-limits.ts";
import { readReceipt, requestOf } from "./limits/receipts.ts";
import { createRedisLimits } from "./limits/redis-limits.ts";
import { createRequestCache, type RequestCache } from "./limits/request-cache.ts";
import type { RateLimiterBackend, RateLimiterOptions } from "./options.ts";
import { readSettings } from "./settings.ts";
import { createLatencyEstimator } from "./timing/latency.ts";
import { createServerClock } from "./timing/server-clock.ts";
import type {
  CombinedDecision,
  Decision,
  LimitOptions,
  OnError,
  RateLimit,
  RateLimiterEvents,
  Receipt,
  Usage,
} from "./types.ts";

/** One of several limits that a call is under, with the id that it counts. */
export interface IdentifiedLimit extends Partial<RateLimit> {
  readonly id: string;
}

/** How long a call waits until it is allowed. */
export interface AcquireOptions extends LimitOptions {
  /** A number is seconds. @default "30s" */
  readonly timeout?: Duration;
  /** Ends the wait: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const knownOfCall: KnownOptions<LimitOptions & { readonly id?: string }> = { ...knownLimitOptions, id: true };
const knownOfAcquire: KnownOptions<AcquireOptions> = { ...knownLimitOptions, timeout: true, signal: true };
const knownOfIdentified: KnownOptions<IdentifiedLimit> = {
  id: true,
  window: true,
  limit: true,
  scope: true,
  burst: true,
};

/**
 * Limits how often things happen, counted together by all processes that share a Redis.
 *
 * A decision takes one round trip (3 commands when allowed, 2 when refused, none when a refusal is remembered); the
 * calls of one tick share it, and one of its commands. No call rejects because of Redis: what happens while it is away
 * is up to `onError`. By default each process goes on with its share of what is left, and tells Redis afterwards. A
 * process that has never reached Redis has no share, unless `processes` says how many there are: it waits for Redis for
 * up to 5 seconds, then refuses.
 *
 * @example
 * ```ts
 * import { RateLimiter, rateLimitHeaders } from "@continuum-cache/ratelimit";
 * import { tcpTransport } from "@continuum-cache/transport-tcp";
 *
 * const limiter = new RateLimiter({ transport: tcpTransport({ url: "redis://127.0.0.1:6379" }) });
 *
 * export async function serve(user: string): Promise<Response> {
 *   const decision = await limiter.limit(user, { window: "1m", limit: 100, scope: "api" });
 *   return new Response(null, { status: decision.allowed ? 204 : 429, headers: rateLimitHeaders(decision) });
 * }
 * ```
 */
export class RateLimiter {
  /**
   * Used for resets only, which a cache's fallback replays after an outage. All other requests go past the fallback.
   */
  private readonly transport: Transport;
  private readonly defaults: LimitDefaults;
  private readonly requests: RequestCache;
  private readonly limits: Limits;
  private readonly queue: AcquireQueue;
  private readonly events: Events<RateLimiterEvents> = createEvents<RateLimiterEvents>();
  private isListenedTo = false;

  /**
   * @param backend - A `Cache`, or `{ transport }`. Rate limits are no cached values, so the cache's fallback does not
   * answer them.
   * @throws ConfigError when an option is unknown, in the wrong argument, or out of its range.
   */
  constructor(backend: RateLimiterBackend, options: RateLimiterOptions = {}) {
    const settings = readSettings(backend, options);
    const { algorithm, maxKeys, denyCache } = settings;
    const { window, limit, scope, burst } = options;
    const named = { window, limit, scope, burst } as Partial<RateLimit>;
    this.transport = batched(backend.transport);
    this.defaults = { ...named, algorithm, keyPrefix: backend.keyPrefix ?? "" };
    this.requests = createRequestCache(this.defaults, maxKeys);
    const clock = createServerClock(() => isLocalForEver(backend.transport));
    this.limits = createLimits({
      ...settings,
      redis: createRedisLimits(batched(primaryOf(backend.transport)), clock),
      local: createLocalLimits(maxKeys),
      denyCache: denyCache ? createDenyCache(denyCache.maxEntries, denyCache.maxAgeMs) : noDenyCache,
      // All processes must return to Redis at about the same time.
      breaker: createBreaker({ failures: 1, sample: false, maxWait: "1s" }),
      latency: createLatencyEstimator(settings.budgetMs),
      clock,
      transportName: backend.transport.name,
      events: this.events,
      source: () => (isLocalForEver(backend.transport) ? "local" : "redis"),
    });
    const stop = this.events.on("error", ({ error }) => {
      stop();
      if (!this.isListenedTo) console.warn(withoutRedis(settings.onError, error));
    });
    this.queue = createAcquireQueue({
      decide: (request) => this.limits.decide(request),
      refund: (decision) => this.refund(decision),
    });
  }

  /**
   * Decides on one call, and charges it if it is allowed.
   *
   * @throws TypeError when the id is no text, ConfigError when an option is unknown or can't be, CostError when the
   * cost is more than the limit.
   */
  limit(id: string, options: LimitOptions = noOptions): Promise<Decision> {
    try {
      return this.limits.decide(this.requestFor("limiter.limit", id, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Decides on one call that is under several limits, such as a user's and an address's, or a minute's and a day's.
   * It is charged to all of them, or to none.
   *
   * @throws as `limit` does; RangeError also when two of them are one and the same.
   */
  async limitAll(
    limits: readonly IdentifiedLimit[],
    options: { readonly cost?: number } = {},
  ): Promise<CombinedDecision> {
    assertOptions("limiter.limitAll", options, { cost: true });
    const requests = limits.map((each) => {
      assertOptions("Each limit of limiter.limitAll", each, knownOfIdentified);
      const { id, ...limit } = each;
      return this.requests.read(id, { ...limit, ...options });
    });
    if (requests.length === 0) throw new RangeError("Expected at least one limit, got none");
    if (new Set(requests.map(({ key }) => key)).size < requests.length) {
      throw new RangeError("Expected limits that differ in their id, scope or window, got the same one twice");
    }
    const decisions = await this.limits.decideAll(requests);
    const [{ source }] = decisions as [Decision, ...Decision[]];
    const retryAfter = Math.max(...decisions.map((decision) => decision.retryAfter));
    return { allowed: decisions.every(({ allowed }) => allowed), retryAfter, source, decisions };
  }

  /** Whether a call is allowed; it is charged if it is. @throws as `limit` does. */
  async checkRateLimit(
    id: string,
    limit: { readonly windowSeconds: number; readonly maxRequests: number },
  ): Promise<boolean> {
    assertOptions("limiter.checkRateLimit", limit, { windowSeconds: true, maxRequests: true });
    return (await this.limit(id, { window: limit.windowSeconds, limit: limit.maxRequests })).allowed;
  }

  /**
   * Waits until a call is allowed, and charges it. Callers of one process are served in the order in which they came,
   * each at the moment at which there is room.
   *
   * @throws WaitError when the time is up, the signal's reason when it fires; and as `limit` does.
   */
  async acquire(id: string, options: AcquireOptions = {}): Promise<Decision> {
    assertOptions("limiter.acquire", options, knownOfAcquire);
    const { timeout = "30s", signal, ...limit } = options;
    signalOption(signal);
    const request = this.requests.read(id, limit);
    return this.queue.wait(request, { timeoutMs: toTimeoutMs(timeout, "timeout"), signal });
  }

  /** How much of a limit is used. It costs no quota, and one command. @throws as `limit` does. */
  async getUsage(id: string, options: LimitOptions = {}): Promise<Usage> {
    return this.limits.usage(this.requestFor("limiter.getUsage", id, options));
  }

  /**
   * Gives an accepted call back, at most once. A call whose window has passed is free already.
   *
   * @returns whether quota was given back; false also when Redis did not answer, and then it may be tried again.
   * @throws TypeError when it is no receipt of this limiter's keys.
   */
  async refund(accepted: Receipt | Decision): Promise<boolean> {
    const receipt = "atUs" in accepted ? accepted : accepted.receipt;
    if (!receipt) return false;
    return this.limits.refund(requestOf(readReceipt(receipt)), receipt);
  }

  /**
   * Resets a limit: one command, a DEL. While Redis is away behind a cache, the cache replays it after the outage.
   *
   * @throws TransportError when there is no such cache, and no answer came.
   */
  async reset(id: string, options: LimitOptions = {}): Promise<void> {
    const { key } = this.requestFor("limiter.reset", id, { limit: this.defaults.limit ?? 1, ...options });
    const [reply] = await this.limits.reset(key, () => this.transport.send([["DEL", key]]));
    if (reply instanceof Error) throw reply;
  }

  /**
   * Listens to an event. Where no listener was added by then, the first failure is printed with `console.warn`.
   *
   * @returns the function that stops listening.
   * @throws ConfigError when there is no such event.
   */
  on<Name extends keyof RateLimiterEvents>(
    event: Name,
    listener: (event: RateLimiterEvents[Name]) => void,
  ): () => void {
    choiceOption("event", event, eventNames);
    if (typeof listener !== "function") {
      throw new ConfigError(
        "listener",
        `Expected a function that is called with each "${event}", got ${typeof listener}`,
      );
    }
    this.isListenedTo = true;
    return this.events.on(event, listener);
  }

  /** Rejects all waits, and replays to Redis what it missed. The transport stays open: it belongs to the caller. */
  async close(): Promise<void> {
    await this.queue.close();
    await this.limits.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Checks the options of a call. A limit of `limitAll`, which holds its id, may be passed as it is. */
  private requestFor(owner: string, id: string, options: LimitOptions & { readonly id?: string }): LimitRequest {
    assertOptions(owner, options, knownOfCall);
    if (options.id !== undefined && options.id !== id)
      throw new ConfigError("id", `${owner} got one id, and a limit for another: leave the limit's \`id\` out`);
    return this.requests.read(id, options);
  }
}

const noOptions: LimitOptions = {};
const eventNames: readonly (keyof RateLimiterEvents)[] = ["error", "backend"];

const withoutRedis = (onError: OnError, { message }: Error): string =>
  `A RateLimiter decides without Redis, as \`onError: "${onError}"\` says, because of: ${message}. This is printed ` +
  'once; limiter.on("error", …) and limiter.on("backend", …) report each time.';

/** Whether the transport is local without an outage: there is no primary. */
const isLocalForEver = ({ status }: Transport): boolean => status?.currentBackend === "local" && !status.outage;
