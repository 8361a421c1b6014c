import { startRedisServer } from "@continuum-cache/conformance/servers";
import { closing } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { expect, it } from "vitest";
import { type Algorithm, RateLimiter } from "../src/index.ts";

const opened = closing();
const algorithms: Algorithm[] = ["sliding-window", "fixed-window", "token-bucket"];

it.each(algorithms)(
  "%s: a server that forgets its scripts costs no error and counts nothing twice",
  async (algorithm) => {
    const redis = opened(await startRedisServer());
    const transport = opened(tcpTransport({ url: redis.url }));
    const limiter = new RateLimiter(
      { transport },
      { algorithm, window: "1h", limit: 1_000, budget: "10s", onError: "closed" },
    );
    const errors: unknown[] = [];
    limiter.on("error", (event) => errors.push(event));
    let allowed = 0;
    for (let round = 0; round < 20; round++) {
      await redis.command("SCRIPT", "FLUSH");
      const decisions = await Promise.all(Array.from({ length: 10 }, () => limiter.limit("ann")));
      allowed += decisions.filter((decision) => decision.allowed && decision.source === "redis").length;
      const [last] = decisions;
      await redis.command("SCRIPT", "FLUSH");
      if (round % 5 === 0 && last) {
        expect(await limiter.refund(last)).toBe(true);
        allowed--;
      }
    }
    expect(errors).toEqual([]);
    expect(allowed).toBe(196);
    expect(await limiter.getUsage("ann")).toMatchObject({ current: 196 });
  },
);

it.each(algorithms)("%s: so does a server that was started anew", async (algorithm) => {
  const redis = opened(await startRedisServer({ appendonly: true, args: ["appendfsync always"] }));
  const transport = opened(tcpTransport({ url: redis.url }));
  const limiter = new RateLimiter({ transport }, { algorithm, window: "1h", limit: 10, budget: "5s" });
  for (let used = 1; used <= 4; used++) await limiter.limit("ann");
  await redis.kill();
  await redis.restart();
  // The lost connection may cost one decision, which is then made locally and replayed to Redis.
  for (let used = 5; used <= 8; used++) expect((await limiter.limit("ann")).allowed).toBe(true);
  await limiter.close();
  expect(await redis.command("SCRIPT", "FLUSH")).toBe("OK");
  expect(await limiter.limit("ann")).toMatchObject({ allowed: true, source: "redis", current: 9 });
});

it.each(algorithms)(
  "%s: calls of one tick keep their order on a server that has yet to learn the script",
  async (algorithm) => {
    const redis = opened(await startRedisServer());
    const transport = opened(tcpTransport({ url: redis.url }));
    const limiter = new RateLimiter({ transport }, { algorithm, window: "1h", limit: 10, budget: "10s" });
    await redis.command("SCRIPT", "FLUSH");
    const [before, usage, , after] = await Promise.all([
      limiter.limit("ann"),
      limiter.getUsage("ann"),
      limiter.reset("ann"),
      limiter.limit("ann", { cost: 2 }),
    ]);
    expect([before.current, usage.current, after.current]).toEqual([1, 1, 2]);
    expect(await limiter.getUsage("ann")).toMatchObject({ current: 2 });
  },
);
