import {
  batched,
  createBreaker,
  createEvents,
  type Duration,
  type Events,
  type Transport,
  toTimeoutMs,
} from "@continuum-cache/core";
import { algorithms } from "./algorithms/algorithms.ts";
import { type Ask, type AskDefaults, readAsk } from "./ask.ts";
import type { CombinedDecision, Decision, Usage } from "./decision.ts";
import { createDenyCache, noDenyCache } from "./deny-cache.ts";
import { createHandover } from "./limits/handover.ts";
import { createLimits, type Limits } from "./limits/limits.ts";
import { createLocalLimits } from "./limits/local-limits.ts";
import { createRedisLimits } from "./limits/redis-limits.ts";
import { createShare } from "./limits/share.ts";
import type { LimitOptions, RateLimit } from "./rate-limit.ts";
import type { RateLimiterEvents } from "./rate-limiter-events.ts";
import type { RateLimiterBackend, RateLimiterOptions } from "./rate-limiter-options.ts";
import { readSettings } from "./rate-limiter-settings.ts";
import { readReceipt } from "./read-receipt.ts";
import type { Receipt } from "./receipt.ts";
import { createServerClock } from "./server-clock.ts";
import { createWaitingLines, type WaitingLines } from "./waiting-lines.ts";

/** One of several limits that a call is under. */
export interface IdentifiedLimit extends Partial<RateLimit> {
  readonly id: string;
}

/** How long to wait for one's turn. */
export interface AcquireOptions extends LimitOptions {
  /** A number is seconds. @default "30s" */
  readonly timeout?: Duration;
  /** Ends the wait: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Limits how often things happen, counted together by all processes that share a Redis.
 *
 * A decision takes one round trip (3 commands when allowed, 2 when refused, none when a refusal is remembered) and never
 * longer than `budget`. No call rejects because of Redis: what happens while it is away is up to `onError`. By default
 * each process goes on with its share of what is left, and tells Redis afterwards.
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
  private readonly transport: Transport;
  private readonly defaults: AskDefaults;
  private readonly limits: Limits;
  private readonly lines: WaitingLines;
  private readonly events: Events<RateLimiterEvents> = createEvents<RateLimiterEvents>();

  /**
   * @param backend - A `Cache`, or `{ transport }`. Rate limits are no cached values: nobody else answers in its place.
   * @throws ConfigError or RangeError when an option is out of its range.
   */
  constructor(backend: RateLimiterBackend, options: RateLimiterOptions = {}) {
    const settings = readSettings(backend, options);
    const { algorithm, maxKeys, denyCache } = settings;
    const { window, limit, scope, burst } = options;
    const named = { window, limit, scope, burst } as Partial<RateLimit>;
    // All of one tick together, and in their order.
    this.transport = batched(backend.transport);
    this.defaults = { ...named, algorithm, keyPrefix: backend.keyPrefix ?? "" };
    const clock = createServerClock();
    const local = createLocalLimits(maxKeys);
    this.limits = createLimits({
      ...settings,
      redis: createRedisLimits(this.transport, clock, settings.budgetMs),
      local,
      handover: createHandover(createShare(settings.processes), local, maxKeys),
      denyCache: denyCache ? createDenyCache(denyCache.maxEntries, denyCache.maxAgeMs) : noDenyCache,
      // Each failure may cost a caller the whole budget; and all processes are to be back at about the same time.
      breaker: createBreaker({ failures: 3, maxWait: "1s" }),
      clock,
      events: this.events,
      source: () => (isLocalForEver(backend.transport) ? "local" : "redis"),
    });
    this.lines = createWaitingLines({
      decide: (ask) => this.decideOne(ask),
      refund: (decision) => void this.refund(decision),
    });
  }

  /**
   * Decides on one call, and charges it if it is allowed.
   *
   * @throws TypeError or RangeError when the id or an option can't be, CostError when the cost is more than the limit.
   */
  async limit(id: string, options: LimitOptions = {}): Promise<Decision> {
    return this.decideOne(readAsk(this.defaults, id, options));
  }

  /**
   * Decides on one call that is under several limits, such as a user's and an address's, or a minute's and a day's. It is
   * charged to all of them, or to none.
   *
   * @throws as `limit` does; RangeError also when two of them are one and the same.
   */
  async limitAll(
    limits: readonly IdentifiedLimit[],
    options: { readonly cost?: number } = {},
  ): Promise<CombinedDecision> {
    const asks = limits.map(({ id, ...limit }) => readAsk(this.defaults, id, { ...limit, ...options }));
    if (asks.length === 0) throw new RangeError("Expected at least one limit, got none");
    if (new Set(asks.map(({ key }) => key)).size < asks.length) {
      throw new RangeError("Expected limits that differ in their id, scope or window, got the same one twice");
    }
    const decisions = await this.limits.decide(asks);
    const [{ source }] = decisions as [Decision, ...Decision[]];
    const retryAfter = Math.max(...decisions.map((decision) => decision.retryAfter));
    return { allowed: decisions.every(({ allowed }) => allowed), retryAfter, source, decisions };
  }

  /** Whether a call is allowed; it is charged if it is. @throws as `limit` does. */
  async checkRateLimit(
    id: string,
    limit: { readonly windowSeconds: number; readonly maxRequests: number },
  ): Promise<boolean> {
    return (await this.limit(id, { window: limit.windowSeconds, limit: limit.maxRequests })).allowed;
  }

  /**
   * Waits until a call is allowed, and charges it. Callers of one process are served in the order in which they came, each
   * at the moment at which there is room.
   *
   * @throws WaitError when the time is up, the signal's reason when it fires; and as `limit` does.
   */
  async acquire(id: string, { timeout = "30s", signal, ...options }: AcquireOptions = {}): Promise<Decision> {
    const ask = readAsk(this.defaults, id, options);
    return this.lines.join(ask, { timeoutMs: toTimeoutMs(timeout, "timeout"), signal });
  }

  /** How much of a limit is used. It costs no quota, and one command. @throws as `limit` does. */
  async getUsage(id: string, options: LimitOptions = {}): Promise<Usage> {
    return this.limits.usage(readAsk(this.defaults, id, options));
  }

  /**
   * Gives an accepted call back. What is past its window is free already, and what was given back is so once.
   *
   * @returns whether something was given back; false also when Redis could not be told, and it may be tried again.
   * @throws TypeError when it is no receipt of this limiter's keys.
   */
  async refund(accepted: Receipt | Decision): Promise<boolean> {
    const receipt = "atUs" in accepted ? accepted : accepted.receipt;
    if (!receipt) return false;
    return this.limits.refund(askOf(readReceipt(receipt)), receipt);
  }

  /**
   * Lets a limit begin anew: one command, a DEL. While Redis is away behind a cache, the cache sees to it that it is made up for.
   *
   * @throws TransportError when there is no such cache, and no answer came.
   */
  async reset(id: string, options: LimitOptions = {}): Promise<void> {
    const { key } = readAsk({ ...this.defaults, limit: this.defaults.limit ?? 1 }, id, options);
    this.limits.forget([key]);
    const [reply] = await this.transport.send([["DEL", key]]);
    this.limits.forget([key]);
    if (reply instanceof Error) throw reply;
  }

  /** Listens to an event. @returns the function that stops listening. */
  on<Name extends keyof RateLimiterEvents>(
    event: Name,
    listener: (event: RateLimiterEvents[Name]) => void,
  ): () => void {
    return this.events.on(event, listener);
  }

  /** Sends away who waits, and lets Redis be told what it missed. The transport stays open: it is the caller's. */
  async close(): Promise<void> {
    this.lines.close();
    await this.limits.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async decideOne(ask: Ask): Promise<Decision> {
    const [decision] = await this.limits.decide([ask]);
    return decision as Decision;
  }
}

/** What a receipt was given for. */
function askOf({ key, algorithm, windowUs, limit, capacity, cost }: Receipt): Ask {
  const facts = algorithms[algorithm];
  const extra = facts.extra(windowUs, limit, capacity);
  return { key, algorithm, facts, scope: "", windowUs, limit, capacity, extra, cost };
}

/** Local without an outage: there is no primary. */
const isLocalForEver = ({ status }: Transport): boolean => status?.currentBackend === "local" && !status.outage;
