import { type OnError, RateLimiter } from "@continuum-cache/ratelimit";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";

/** What is limited, in each strategy alike. */
export interface Rule {
  readonly limit: number;
  readonly windowMs: number;
  readonly processes: number;
}

/** A limiter, and what it does while Redis is away. */
export interface OutageLimiter {
  /** @returns whether the call may go ahead. */
  decide(id: string): Promise<boolean>;
  close(): Promise<unknown>;
}

/** Ways to get through an outage, by the names that tables give them. */
export type StrategyName =
  | "hand-over (default)"
  | "hand-over, processes: 4"
  | "fresh local limiters"
  | "rate-limiter-flexible, insurance"
  | "open";

export const strategies: Readonly<Record<StrategyName, (url: string, rule: Rule) => OutageLimiter>> = {
  "hand-over (default)": (url, rule) => ours(url, rule, { onError: "local" }),
  "hand-over, processes: 4": (url, rule) => ours(url, rule, { onError: "local", processes: rule.processes }),
  "fresh local limiters": freshLocal,
  "rate-limiter-flexible, insurance": insured,
  open: (url, rule) => ours(url, rule, { onError: "open" }),
};

interface OurOptions {
  readonly onError: OnError;
  readonly processes?: number;
}

function openLimiter(url: string, { limit, windowMs }: Rule, options: OurOptions): RateLimiter {
  return new RateLimiter({ transport: tcpTransport({ url }) }, { limit, window: `${windowMs}ms`, ...options });
}

function ours(url: string, rule: Rule, options: OurOptions): OutageLimiter {
  const limiter = openLimiter(url, rule, options);
  return { decide: async (id) => (await limiter.limit(id)).allowed, close: () => limiter.close() };
}

/** As ours, but each process begins from nothing when Redis leaves, with the whole limit for itself. */
function freshLocal(url: string, rule: Rule): OutageLimiter {
  const limiter = openLimiter(url, rule, { onError: "closed" });
  const accepted = new Map<string, number[]>();
  return {
    async decide(id) {
      const { allowed, source } = await limiter.limit(id);
      const now = performance.now();
      const times = (accepted.get(id) ?? []).filter((time) => time > now - rule.windowMs);
      if (source !== "closed") return allowed;
      if (times.length < rule.limit) accepted.set(id, [...times, now]);
      return times.length < rule.limit;
    },
    close: () => limiter.close(),
  };
}

/** With the settings that let it notice an outage at all. */
function insured(url: string, { limit, windowMs }: Rule): OutageLimiter {
  const storeClient = new Redis(url, { enableOfflineQueue: false, commandTimeout: 225 });
  // It tries again by itself; what it meets meanwhile is what is measured.
  storeClient.on("error", () => {});
  const rule = { points: limit, duration: windowMs / 1_000 };
  const limiter = new RateLimiterRedis({ ...rule, storeClient, insuranceLimiter: new RateLimiterMemory(rule) });
  return {
    async decide(id) {
      try {
        await limiter.consume(id);
        return true;
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return false;
        throw refusal;
      }
    },
    async close() {
      storeClient.disconnect();
    },
  };
}
