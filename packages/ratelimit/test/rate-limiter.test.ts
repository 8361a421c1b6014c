import { startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, isConfigError } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { describe, expect, it } from "vitest";
import {
  type Algorithm,
  CostError,
  clientKey,
  presets,
  RateLimiter,
  type RateLimiterOptions,
  rateLimitHeaders,
} from "../src/index.ts";

const opened = closing();
const algorithms: Algorithm[] = ["sliding-window", "sliding-log", "fixed-window", "token-bucket"];
/** Long enough that no window ends in a test. */
const rule = { window: "1h", limit: 5 } as const;

const transports = {
  "Redis protocol": async () => tcpTransport({ url: opened(await startRedisServer()).url }),
  "REST over Redis": async () => {
    const server = opened(await startRedisServer());
    const { url } = opened(await startUpstashLocal({ port: 0, token: "t", redisUrl: server.url }));
    return restTransport({ url, token: "t" });
  },
  "REST over the embedded engine": async () => {
    const { url } = opened(await startUpstashLocal({ port: 0, token: "t" }));
    return restTransport({ url, token: "t" });
  },
  memory: async () => memoryTransport(),
};

describe.each(Object.entries(transports))("on %s", (name, open) => {
  const limiterOf = async (options: RateLimiterOptions = {}) => {
    const transport = opened(await open());
    return { transport, limiter: opened(new RateLimiter({ transport }, { budget: "10s", ...options })) };
  };

  describe.each(algorithms)("%s", (algorithm) => {
    it("allows as much as the limit, then refuses and charges nothing", async () => {
      const { limiter } = await limiterOf({ algorithm, ...rule });
      for (let used = 1; used <= 5; used++) {
        const decision = await limiter.limit("ann");
        expect(decision).toMatchObject({ allowed: true, limit: 5, current: used, remaining: 5 - used, retryAfter: 0 });
        expect(decision.source).toBe(name === "memory" ? "local" : "redis");
      }
      const refused = await limiter.limit("ann");
      expect(refused).toMatchObject({ allowed: false, current: 5, remaining: 0 });
      expect(refused.retryAfter).toBeGreaterThan(0);
      expect(refused.receipt).toBeUndefined();
      expect((await limiter.limit("bob")).allowed).toBe(true);
      expect(await limiter.getUsage("ann")).toMatchObject({ current: 5, limit: 5, remaining: 0 });
    });

    it("takes a cost as a whole or not at all", async () => {
      const { limiter } = await limiterOf({ algorithm, ...rule });
      expect(await limiter.limit("ann", { cost: 4 })).toMatchObject({ allowed: true, current: 4 });
      expect(await limiter.limit("ann", { cost: 2 })).toMatchObject({ allowed: false, current: 4 });
      expect(await limiter.limit("ann", { cost: 1 })).toMatchObject({ allowed: true, current: 5 });
    });

    it("gives an accepted call back, once", async () => {
      const { limiter } = await limiterOf({ algorithm, ...rule });
      const first = await limiter.limit("ann", { cost: 3 });
      await limiter.limit("ann", { cost: 2 });
      expect(await limiter.refund(first)).toBe(true);
      expect(await limiter.refund(first)).toBe(false);
      // Nor through a copy, in any process.
      expect(await limiter.refund(structuredClone(first))).toBe(false);
      expect(await limiter.getUsage("ann")).toMatchObject({ current: 2 });
      expect((await limiter.limit("ann", { cost: 3 })).allowed).toBe(true);
    });

    it("counts from 0 after a reset", async () => {
      const { limiter } = await limiterOf({ algorithm, ...rule });
      const before = await limiter.limit("ann", { cost: 5 });
      expect((await limiter.limit("ann")).allowed).toBe(false);
      await limiter.reset("ann");
      expect(await limiter.limit("ann")).toMatchObject({ allowed: true, current: 1 });
      expect(await limiter.refund(before)).toBe(false);
      expect(await limiter.getUsage("ann")).toMatchObject({ current: 1 });
    });

    it("charges several limits together, or none of them", async () => {
      const { limiter } = await limiterOf({ algorithm });
      const user = { id: "ann", scope: "user", ...rule };
      const address = { id: "192.0.2.1", scope: "address", window: "1h", limit: 3 } as const;
      const both = () => limiter.limitAll([user, address]);
      for (let used = 1; used <= 3; used++) expect((await both()).allowed).toBe(true);
      const refused = await both();
      expect(refused.allowed).toBe(false);
      expect(refused.retryAfter).toBeGreaterThan(0);
      expect(refused.decisions.map(({ allowed, current }) => [allowed, current])).toEqual([
        [true, 3],
        [false, 3],
      ]);
      expect(await limiter.getUsage("ann", user)).toMatchObject({ current: 3 });
    });
  });

  it("never lets more through than the limit, however many calls come at once", async () => {
    const { limiter } = await limiterOf();
    const decisions = await Promise.all(Array.from({ length: 200 }, () => limiter.limit("ann", presets.api)));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(100);
  });

  it("counts limits above 2,000 too", async () => {
    const { limiter } = await limiterOf({ window: "1h", limit: 5_000 });
    expect(await limiter.limit("ann", { cost: 4_999 })).toMatchObject({ allowed: true, remaining: 1 });
    expect(await limiter.limit("ann", { cost: 2 })).toMatchObject({ allowed: false });
    expect(await limiter.limit("ann")).toMatchObject({ allowed: true, remaining: 0 });
  });

  it("answers yes or no", async () => {
    const { limiter } = await limiterOf();
    const check = () => limiter.checkRateLimit("user_123", { windowSeconds: 60, maxRequests: 2 });
    expect([await check(), await check(), await check()]).toEqual([true, true, false]);
  });
});

describe("a limiter on a cache", () => {
  it("keeps its keys under the cache's prefix, in the family for rate limits", async () => {
    const transport = opened(memoryTransport());
    const limiter = new RateLimiter(new Cache({ transport, keyPrefix: "app:" }));
    await limiter.limit("user:1*", presets.search);
    await limiter.limit("ann", { window: "1500ms", limit: 1, scope: "x" });
    const [page] = await transport.send([["KEYS", "*"]]);
    expect((page as string[]).sort()).toEqual(["app:ratelimit:search:user%3A1%2A:60s", "app:ratelimit:x:ann:1500ms"]);
  });
});

describe("a wrong call", () => {
  const transport = memoryTransport();
  const limiter = new RateLimiter({ transport });
  it("is a cost above the limit, which no wait would let through", async () => {
    const error = await limiter.limit("ann", { ...rule, cost: 6 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CostError);
    expect(error).toMatchObject({ cost: 6, most: 5 });
    expect(await limiter.getUsage("ann", rule)).toMatchObject({ current: 0 });
  });
  it.each([
    ["", rule, /Expected an id/],
    [7, rule, /Expected an id.*number/],
    ["a".repeat(40_000), rule, /hash/],
    ["ann", {}, /`window`/],
    ["ann", { window: "1m" }, /`limit`/],
    ["ann", { window: "1 m", limit: 1 }, /window.*"1 m"/],
    ["ann", { window: "400d", limit: 1 }, /366 days, got 400d/],
    ["ann", { window: 0, limit: 1 }, /window.*got 0/],
    ["ann", { ...rule, limit: 0 }, /`limit`.*got 0/],
    ["ann", { ...rule, limit: 1.5 }, /`limit`.*got 1.5/],
    ["ann", { ...rule, cost: -1 }, /`cost`.*got -1/],
    ["ann", { ...rule, cost: Number.NaN }, /`cost`.*got NaN/],
    ["ann", { ...rule, burst: 9 }, /"token-bucket"/],
    ["ann", { ...rule, scope: "" }, /`scope`/],
  ])("is said before anything is asked: %j %j", async (id, options, message) => {
    await expect(limiter.limit(id as string, options as never)).rejects.toThrow(message);
  });
  it.each([
    [{ algorithm: "leaky" }, /`algorithm`.*"token-bucket".*"leaky"/],
    [{ onError: "crash" }, /`onError`.*"crash"/],
    [{ processes: 0 }, /`processes`.*got 0/],
    [{ budget: "soon" }, /`budget`.*"soon"/],
    [{ denyCache: { maxEntries: 0 } }, /`denyCache.maxEntries`.*got 0/],
  ])("is a setting out of its range: %j", (options, message) => {
    expect(() => new RateLimiter({ transport: memoryTransport() }, options as never)).toThrow(message);
  });
  const configError = async (work: () => unknown): Promise<unknown> => {
    try {
      await work();
      return "accepted";
    } catch (error) {
      if (!isConfigError(error)) return error;
      return `${error.setting}: ${error.message}`;
    }
  };

  it.each<[string, RegExp, () => unknown]>([
    ["a misspelt option", /^onErr: .*`onError`/, () => new RateLimiter({ transport }, { onErr: "open" } as never)],
    ["another library's option", /^points: .*`limit`/, () => new RateLimiter({ transport }, { points: 5 } as never)],
    ["no object of options", /^new RateLimiter: .*60/, () => new RateLimiter({ transport }, 60 as never)],
    ["an option in the first argument", /^limit: .*second/, () => new RateLimiter({ transport, limit: 5 } as never)],
    ["an unknown property there", /^prefix: .*`keyPrefix`/, () => new RateLimiter({ transport, prefix: "a" } as never)],
    ["a prefix that is no text", /^keyPrefix: .*number/, () => new RateLimiter({ transport, keyPrefix: 1 } as never)],
    ["a budget below zero", /^budget: .*-1/, () => new RateLimiter({ transport }, { budget: -1 })],
    ["keys without number", /^maxKeys: .*0/, () => new RateLimiter({ transport }, { maxKeys: 0 })],
    ["a default limit of none", /^limit: .*0/, () => new RateLimiter({ transport }, { limit: 0 })],
    [
      "a default window of none",
      /^window: .*"soon"/,
      () => new RateLimiter({ transport }, { window: "soon" } as never),
    ],
    ["a default burst for a window", /^burst: .*token-bucket/, () => new RateLimiter({ transport }, { burst: 3 })],
    ["a default scope without name", /^scope: .*""/, () => new RateLimiter({ transport }, { scope: "" })],
    [
      "a misspelt denyCache",
      /^maxage: .*`maxAge`/,
      () => new RateLimiter({ transport }, { denyCache: { maxage: 1 } } as never),
    ],
    [
      "a waitUntil that is none",
      /^waitUntil: .*boolean/,
      () => new RateLimiter({ transport }, { waitUntil: true } as never),
    ],
    ["an unknown option of a call", /^max: .*`limit`/, () => limiter.limit("ann", { ...rule, max: 5 } as never)],
    ["a number for a call's options", /^limiter.limit: .*60/, () => limiter.limit("ann", 60 as never)],
    [
      "an unknown option of one of several",
      /^cost: .*Each limit/,
      () => limiter.limitAll([{ id: "a", ...rule, cost: 2 } as never]),
    ],
    [
      "an unknown option of all of them",
      /^costs: .*`cost`/,
      () => limiter.limitAll([{ id: "a", ...rule }], { costs: 2 } as never),
    ],
    [
      "an unknown option of a wait",
      /^timeOut: .*`timeout`/,
      () => limiter.acquire("ann", { ...rule, timeOut: 2 } as never),
    ],
    ["a signal that is none", /^signal: .*got "/, () => limiter.acquire("ann", { ...rule, signal: "now" } as never)],
    [
      "an unknown option of a look",
      /^windows: .*`window`/,
      () => limiter.getUsage("ann", { ...rule, windows: 2 } as never),
    ],
    ["a limit of another id", /^id: .*another/, () => limiter.getUsage("ann", { id: "bob", ...rule } as never)],
    ["an unknown option of a reset", /^windows: .*`window`/, () => limiter.reset("ann", { windows: 2 } as never)],
    [
      "an unknown option of a check",
      /^limit: .*`maxRequests`|^limit: /,
      () => limiter.checkRateLimit("ann", { windowSeconds: 1, limit: 1 } as never),
    ],
    ["an unknown event", /^event: .*"nonsense"/, () => limiter.on("nonsense" as never, () => {})],
    ["a listener that is none", /^listener: .*undefined/, () => limiter.on("error", undefined as never)],
    [
      "an unknown option of headers",
      /^formats: .*`format`/,
      () => rateLimitHeaders([], { formats: "legacy" } as never),
    ],
    [
      "an unknown option of an address",
      /^prefix: .*`ipv6Prefix`|^prefix: /,
      () => clientKey("::1", { prefix: 64 } as never),
    ],
  ])("is %s, which is a ConfigError", async (_, message, work) => {
    expect(await configError(work)).toMatch(message);
  });

  it("is not a limit that was made for limitAll, if it is for the same id", async () => {
    const both = { id: "ann", ...rule };
    await limiter.limitAll([both]);
    expect(await limiter.getUsage("ann", both)).toMatchObject({ current: 1 });
    await limiter.reset("ann", both);
    expect(await limiter.limit("ann", both)).toMatchObject({ current: 1 });
  });

  it("is no backend, no limit, a limit twice, a false receipt", async () => {
    expect(() => new RateLimiter({} as never)).toThrow(
      /Expected a Cache, or \{ transport \} with a Transport, got undefined/,
    );
    await expect(limiter.limitAll([])).rejects.toThrow(/at least one/);
    await expect(
      limiter.limitAll([
        { id: "a", ...rule },
        { id: "a", ...rule },
      ]),
    ).rejects.toThrow(/twice/);
    await expect(limiter.refund({ key: "k", atUs: 1 } as never)).rejects.toThrow(/receipt/);
  });
});
