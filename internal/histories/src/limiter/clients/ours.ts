import { type Algorithm, RateLimiter, type Receipt } from "@continuum-cache/ratelimit";
import { connectTo } from "../../site/address.ts";
import type { Contender, ServerAddress, Subject } from "../contender.ts";

export interface OurOptions {
  readonly algorithm: Algorithm;
  readonly denyCache: boolean;
}

/** `@continuum-cache/ratelimit`. The budget is long: what is measured is Redis' word, however busy the machine. */
export function openOurs(address: ServerAddress, { algorithm, denyCache }: OurOptions): Contender {
  const transport = connectTo(address, 30_000);
  const limiter = new RateLimiter(
    { transport },
    { algorithm, budget: "30s", onError: "closed", ...(!denyCache && { denyCache: false }) },
  );
  const rule = ({ limit, windowMs }: Subject): { readonly limit: number; readonly window: `${number}ms` } => ({
    limit,
    window: `${windowMs}ms`,
  });
  return {
    async limit(subject, cost) {
      const { allowed, source, decidedAtUs, retryAfter, receipt } = await limiter.limit(subject.id, {
        ...rule(subject),
        cost,
      });
      return {
        allowed,
        source,
        decidedUs: decidedAtUs,
        ...(receipt && { acceptedUs: receipt.atUs, receipt }),
        ...(!allowed && { retryUs: Date.now() * 1_000 + retryAfter * 1_000_000 }),
      };
    },
    refund: (_subject, _cost, receipt) => limiter.refund(receipt as Receipt),
    reset: (subject) => limiter.reset(subject.id, { window: rule(subject).window }),
    async close() {
      await limiter.close();
      await transport.close();
    },
  };
}
