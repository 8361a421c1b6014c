import { startRedisServer } from "@continuum-cache/conformance/servers";
import { closing } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Algorithm, RateLimiter, type Receipt } from "../src/index.ts";

const opened = closing();
const algorithms: Algorithm[] = ["sliding-window", "sliding-log", "fixed-window", "token-bucket"];

const step = fc.record({
  id: fc.integer({ min: 0, max: 30 }),
  scope: fc.constantFrom("a", "b"),
  limit: fc.constantFrom(1, 10, 2_000, 10_000),
  cost: fc.integer({ min: 1, max: 10 }),
  kind: fc.constantFrom("limit" as const, "limit" as const, "limitAll" as const, "refund" as const, "reset" as const),
});

it.each(algorithms)("%s: leaves no key behind without an expiry", async (algorithm) => {
  const redis = opened(await startRedisServer());
  const transport = opened(tcpTransport({ url: redis.url }));
  const limiter = new RateLimiter({ transport }, { algorithm, window: "10m", budget: "10s" });
  const receipts: Receipt[] = [];
  for (const { id, scope, limit, cost, kind } of fc.sample(step, 500)) {
    const name = `user${id}`;
    const options = { scope, limit, cost: Math.min(cost, limit) };
    if (kind === "reset") await limiter.reset(name, { scope });
    if (kind === "limitAll")
      await limiter.limitAll([
        { id: name, scope, limit },
        { id: name, scope: "c", limit: 50 },
      ]);
    if (kind === "limit") {
      const { receipt } = await limiter.limit(name, options);
      if (receipt) receipts.push(receipt);
    }
    const receipt = kind === "refund" ? receipts.pop() : undefined;
    if (receipt) await limiter.refund(receipt);
  }
  const keys = (await redis.command("KEYS", "*")) as string[];
  expect(keys.length).toBeGreaterThan(20);
  const ends = await transport.send(keys.map((key) => ["PTTL", key]));
  for (const end of ends) {
    expect(end).toBeGreaterThan(0);
    // A window, the time in which a refund is possible, and six seconds of grace.
    expect(end).toBeLessThanOrEqual(2 * 600_000 + 5_000);
  }
});
