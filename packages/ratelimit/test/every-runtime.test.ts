import { control, site } from "@continuum-cache/runtime-site";
import { same, sameIn } from "@continuum-cache/runtime-site/same";
import { describe, it } from "vitest";
import type { Transport } from "../../core/src/index.ts";
import { memoryTransport } from "../../fallback-memory/src/index.ts";
import { restTransport } from "../../transport-rest/src/index.ts";
import { withRateLimit } from "../src/fetch.ts";
import { type Algorithm, RateLimiter, type RateLimiterOptions } from "../src/index.ts";

const algorithms: readonly Algorithm[] = ["sliding-window", "sliding-log", "fixed-window", "token-bucket"];
/** Long enough that no window ends in a test. */
const rule = { window: "1h", limit: 5 } as const;

const rest = () => restTransport({ url: site.restUrl, token: site.restToken });
const backends: readonly [name: string, make: () => Transport, source: string][] = [
  ["REST", rest, "redis"],
  ["memory", () => memoryTransport(), "local"],
];

const withLimiter = async (
  make: () => Transport,
  options: RateLimiterOptions,
  work: (limiter: RateLimiter) => Promise<void>,
): Promise<void> => {
  const transport = make();
  const limiter = new RateLimiter({ transport }, { budget: "10s", ...options });
  try {
    await work(limiter);
  } finally {
    await limiter.close();
    await transport.close();
  }
};

for (const [name, make, source] of backends) {
  for (const algorithm of algorithms) {
    describe(`${algorithm} over ${name}`, () => {
      const scope = `${algorithm}-${name}`;
      const withRule = (work: (limiter: RateLimiter) => Promise<void>) =>
        withLimiter(make, { algorithm, scope, ...rule }, work);

      it("allows as much as the limit, then refuses and charges nothing", () =>
        withRule(async (limiter) => {
          for (let current = 1; current <= 5; current++) {
            const decision = await limiter.limit("ann");
            sameIn(decision, { allowed: true, limit: 5, current, remaining: 5 - current, retryAfter: 0, source });
          }
          sameIn(await limiter.limit("ann"), { allowed: false, current: 5, remaining: 0 });
          sameIn(await limiter.getUsage("ann"), { current: 5, remaining: 0 });
          sameIn(await limiter.limit("bob"), { allowed: true, current: 1 });
        }));

      it("takes a cost as a whole or not at all, and gives it back once", () =>
        withRule(async (limiter) => {
          const first = await limiter.limit("cat", { cost: 4 });
          sameIn(first, { allowed: true, current: 4 });
          sameIn(await limiter.limit("cat", { cost: 2 }), { allowed: false, current: 4 });
          same([await limiter.refund(first), await limiter.refund(first)], [true, false]);
          sameIn(await limiter.limit("cat", { cost: 5 }), { allowed: true, current: 5 });
        }));

      it("begins anew after a reset", () =>
        withRule(async (limiter) => {
          await limiter.limit("dan", { cost: 5 });
          await limiter.reset("dan");
          sameIn(await limiter.limit("dan"), { allowed: true, current: 1 });
        }));

      it("never lets more through, however many ask at once", () =>
        withRule(async (limiter) => {
          const decisions = await Promise.all(Array.from({ length: 20 }, () => limiter.limit("eve")));
          same(decisions.filter(({ allowed }) => allowed).length, 5);
        }));
    });
  }
}

describe("several limits", () => {
  it("are charged all or none", () =>
    withLimiter(rest, {}, async (limiter) => {
      const ask = () =>
        limiter.limitAll([
          { id: "ann", scope: "wide", ...rule },
          { id: "ann", scope: "narrow", window: "1h", limit: 1 },
        ]);
      same([(await ask()).allowed, (await ask()).allowed], [true, false]);
      sameIn(await limiter.getUsage("ann", { scope: "wide", ...rule }), { current: 1 });
    }));
});

describe("an outage", () => {
  it("is decided here, from what was used, and told afterwards", () =>
    withLimiter(rest, { scope: "outage", processes: 1, budget: "2s", ...rule }, async (limiter) => {
      sameIn(await limiter.limit("ann", { cost: 2 }), { allowed: true, source: "redis" });
      await control("die");
      sameIn(await limiter.limit("ann", { cost: 2 }), { allowed: true, source: "local" });
      sameIn(await limiter.limit("ann", { cost: 2 }), { allowed: false });
      await control("revive");
    }));
});

describe("the fetch middleware", () => {
  it("answers 429 with the headers that tell why", () =>
    withLimiter(
      () => memoryTransport(),
      { scope: "http", window: "1h", limit: 1 },
      async (limiter) => {
        const serve = withRateLimit(async () => new Response("hello"), limiter, { key: () => "visitor" });
        const ask = () => serve(new Request("http://localhost/"));
        const [first, second] = [await ask(), await ask()];
        same([first.status, await first.text(), second.status], [200, "hello", 429]);
        same(second.headers.get("RateLimit-Policy"), '"http";q=1;w=3600');
        same(second.headers.get("Retry-After"), "3600");
      },
    ));
});
