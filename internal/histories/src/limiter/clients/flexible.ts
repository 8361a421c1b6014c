import { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { Contender, ServerAddress, Subject } from "../contender.ts";

/** `rate-limiter-flexible` on ioredis. It has no receipts: a refund is a reward. Windows are whole seconds. */
export function openFlexible({ url }: ServerAddress, options: { readonly denyCache: boolean }): Contender {
  const storeClient = new Redis(url);
  const limiters = new Map<string, RateLimiterRedis>();

  const limiterOf = ({ limit, windowMs }: Subject): RateLimiterRedis => {
    const name = `${limit}/${windowMs}`;
    const present = limiters.get(name);
    if (present) return present;
    const made = new RateLimiterRedis({
      storeClient,
      points: limit,
      duration: windowMs / 1_000,
      ...(options.denyCache && { inMemoryBlockOnConsumed: limit }),
    });
    limiters.set(name, made);
    return made;
  };

  return {
    async limit(subject, cost) {
      try {
        await limiterOf(subject).consume(subject.id, cost);
        return { allowed: true, source: "redis" };
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        // A denial that it remembers says nothing of how much is consumed.
        const source = refusal.consumedPoints > 0 ? "redis" : "deny-cache";
        return { allowed: false, source, retryUs: (Date.now() + refusal.msBeforeNext) * 1_000 };
      }
    },
    async refund(subject, cost) {
      await limiterOf(subject).reward(subject.id, cost);
      return undefined;
    },
    reset: (subject) => limiterOf(subject).delete(subject.id),
    close: () => storeClient.quit(),
  };
}
