import { startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { closing } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { describe, expect, it } from "vitest";
import { RateLimiter, type RateLimiterOptions } from "../src/index.ts";

const opened = closing();

const limiterOn = (url: string, options: RateLimiterOptions) =>
  opened(new RateLimiter({ transport: opened(tcpTransport({ url })) }, options));

/** Adds up by how much this process's timers are late. */
const watchStalls = () => {
  let lateMs = 0;
  let dueMs = performance.now() + 5;
  const timer = setInterval(() => {
    lateMs += Math.max(0, performance.now() - dueMs);
    dueMs = performance.now() + 5;
  }, 5);
  opened({ close: async () => clearInterval(timer) });
  return () => lateMs + Math.max(0, performance.now() - dueMs);
};

describe("the budget of a decision", () => {
  // Loose bounds, since a machine may be busy: they show that decisions do not wait for Redis again and again.
  const fewMs = 10_000;
  /** What timers and new connections add to a wait, the connections of a busy server and proxy too. */
  const slackMs = 150;
  const decideAll = async (fault: string, options: RateLimiterOptions) => {
    const redis = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: redis.port }));
    const limiter = limiterOn(`redis://127.0.0.1:${proxy.port}`, { window: "1h", limit: 10_000, ...options });
    const tripsMs: number[] = [];
    for (let call = 0; call < 20; call++) {
      const sentMs = performance.now();
      await limiter.limit("ann");
      tripsMs.push(performance.now() - sentMs);
    }
    if (fault === "killed") await redis.kill();
    if (fault === "frozen") redis.freeze();
    if (fault === "black-holed") proxy.set({ kind: "blackhole" });
    const tookMs: number[] = [];
    const stalledMs = watchStalls();
    for (let call = 0; call < 200; call++) {
      const startMs = performance.now();
      const stalledBeforeMs = stalledMs();
      expect(await limiter.limit("ann")).toMatchObject({ allowed: true, source: "local" });
      tookMs.push(performance.now() - startMs - (stalledMs() - stalledBeforeMs));
    }
    if (fault === "frozen") redis.thaw();
    // The usual round trip is its average and four times its variation, or what connecting took.
    return { tookMs, onceMs: 250 + 5 * Math.max(...tripsMs) + slackMs };
  };

  it.each(["killed", "frozen", "black-holed"])("is kept by a single process while Redis is %s", async (fault) => {
    const { tookMs, onceMs } = await decideAll(fault, { processes: 1 });
    expect(Math.max(...tookMs)).toBeLessThanOrEqual(onceMs);
    expect(tookMs.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(fewMs);
    expect(tookMs.filter((ms) => ms >= 250).length).toBeLessThan(tookMs.length / 10);
  });

  it.each(["killed", "frozen", "black-holed"])(
    "is exceeded by one call of one process of several, until it is clear that Redis is %s for all",
    async (fault) => {
      const { tookMs, onceMs } = await decideAll(fault, {});
      const [firstMs = 0, ...othersMs] = tookMs;
      // Refused connections show an outage sooner than silence.
      expect(firstMs).toBeLessThanOrEqual(fault === "killed" ? Math.min(300 + slackMs, onceMs) : 3 * onceMs);
      expect(Math.max(...othersMs)).toBeLessThanOrEqual(onceMs);
      expect(othersMs.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(fewMs);
      expect(othersMs.filter((ms) => ms >= 250).length).toBeLessThan(othersMs.length / 10);
    },
  );
});
