import { Ratelimit } from "@upstash/ratelimit";
import type { Contender, ServerAddress, Subject } from "../contender.ts";
import { openUpstashRedis } from "./upstash-redis.ts";

export interface UpstashOptions {
  readonly algorithm: "slidingWindow" | "fixedWindow" | "tokenBucket";
  /** Its `ephemeralCache`, which is on by default. */
  readonly denyCache: boolean;
}

/** `@upstash/ratelimit`. It has no receipts: a refund is a call at a negative rate. */
export function openUpstash(server: ServerAddress, { algorithm, denyCache }: UpstashOptions): Contender {
  const { redis, close } = openUpstashRedis(server);
  const limiters = new Map<string, Ratelimit>();

  const limiterOf = ({ limit, windowMs }: Subject): Ratelimit => {
    const name = `${limit}/${windowMs}`;
    const present = limiters.get(name);
    if (present) return present;
    const window = `${windowMs} ms` as const;
    const made = new Ratelimit({
      redis,
      limiter: {
        slidingWindow: () => Ratelimit.slidingWindow(limit, window),
        fixedWindow: () => Ratelimit.fixedWindow(limit, window),
        tokenBucket: () => Ratelimit.tokenBucket(limit, window, limit),
      }[algorithm](),
      enableTelemetry: false,
      ...(!denyCache && { ephemeralCache: false }),
    });
    limiters.set(name, made);
    return made;
  };

  return {
    async limit(subject, cost) {
      const { success, reset, reason } = await limiterOf(subject).limit(subject.id, { rate: cost });
      const source = reason === "cacheBlock" ? "deny-cache" : (reason ?? "redis");
      return success ? { allowed: true, source } : { allowed: false, source, retryUs: reset * 1_000 };
    },
    async refund(subject, cost) {
      await limiterOf(subject).limit(subject.id, { rate: -cost });
      return undefined;
    },
    reset: (subject) => limiterOf(subject).resetUsedTokens(subject.id),
    close,
  };
}
