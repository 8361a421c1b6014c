import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing, standInFor } from "@continuum-cache/fixtures";
import { expect, it } from "vitest";
import { RateLimiter } from "../src/rate-limiter.ts";

const opened = closing();

it("sends only resets through a fallback, which replays them after an outage", async () => {
  const { transport, sent } = standInFor(opened(memoryTransport()));
  const limiter = opened(new RateLimiter({ transport }, { window: "1h", limit: 5 }));
  const decision = await limiter.limit("ann", { cost: 3 });
  expect(await limiter.getUsage("ann")).toMatchObject({ current: 3 });
  expect(await limiter.refund(decision)).toBe(true);
  expect(sent).toEqual([]);
  await limiter.limit("ann", { cost: 2 });
  await limiter.reset("ann");
  expect(sent.map(([name]) => name)).toEqual(["DEL"]);
  expect(await limiter.getUsage("ann")).toMatchObject({ current: 0 });
});
