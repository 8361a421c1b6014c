import { isConfigError } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";
import { type FetchLimitOptions, withRateLimit } from "../../src/fetch.ts";
import { countingLimiter } from "./counting-limiter.ts";

const rule = { window: "1m", limit: 2, scope: "api" } as const;
const key = (request: Request) => request.headers.get("x-user") ?? undefined;
const hello = () => new Response("hello");

describe("the options of withRateLimit", () => {
  describe("an address", () => {
    const idOf = async (options: FetchLimitOptions<[]>, headers: Record<string, string>) => {
      const limiter = countingLimiter();
      await withRateLimit(hello, limiter, { ...rule, ...options })(new Request("https://example.com/a", { headers }));
      return limiter.asked[0]?.id;
    };

    it("comes from a field of the platform when it is named, and from no other", async () => {
      const spoofed = { "X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6", Forwarded: "for=6.6.6.6" };
      const headers = { ...spoofed, "CF-Connecting-IP": "2001:db8:0:1ff::1" };
      expect(await idOf({ ipHeader: "CF-Connecting-IP" }, headers)).toBe("2001:db8:0:100::/56");
      expect(await idOf({ ipHeader: "cf-connecting-ip", ipv6Prefix: 64 }, headers)).toBe("2001:db8:0:1ff::/64");
      await expect(idOf({ ipHeader: "cf-connecting-ip" }, spoofed)).rejects.toThrow(TypeError);
      const twice = { "cf-connecting-ip": "6.6.6.6, 203.0.113.7" };
      await expect(idOf({ ipHeader: "cf-connecting-ip" }, twice)).rejects.toThrow(TypeError);
    });

    it("comes from X-Forwarded-For as many hops from the right as there are proxies", async () => {
      const options = { trustedProxies: 2 };
      const id = (text: string) => idOf(options, { "X-Forwarded-For": text, "CF-Connecting-IP": "6.6.6.6" });
      expect(await id("203.0.113.7:4711, 10.0.0.2")).toBe("203.0.113.7");
      expect(await id("6.6.6.6, 203.0.113.7, 10.0.0.2")).toBe("203.0.113.7");
      expect(await id(", , 6.6.6.6:1,203.0.113.7,10.0.0.2")).toBe("203.0.113.7");
      await expect(id("203.0.113.7")).rejects.toThrow(/each of `trustedProxies` \(2\), got 1/);
      await expect(idOf(options, {})).rejects.toThrow(/got 0/);
      await expect(id("unknown, 10.0.0.2")).rejects.toThrow(TypeError);
    });

    it("is not part of a request, so that missing options are an error at once", () => {
      const limits = [{ window: "1m", limit: 1, key: () => "a" } as const];
      expect(() => withRateLimit(hello, countingLimiter(), rule)).toThrow(/set `key:.*`ipHeader:.*`trustedProxies/);
      expect(() => withRateLimit(hello, countingLimiter(), { limits })).not.toThrow();
      expect(() =>
        withRateLimit(hello, countingLimiter(), { limits: [...limits, { window: "1d", limit: 1 }] }),
      ).toThrow(/holds no address/);
    });
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["two sources of an address", "ipHeader", { ipHeader: "a", trustedProxies: 1 }],
    ["a key and an address", "ipHeader", { key, ipHeader: "cf-connecting-ip" }],
    ["a key and hops", "trustedProxies", { key, trustedProxies: 1 }],
    ["a key and a prefix", "ipv6Prefix", { key, ipv6Prefix: 64 }],
    ["X-Forwarded-For as one address", "ipHeader", { ipHeader: "X-Forwarded-For" }],
    ["Forwarded as one address", "ipHeader", { ipHeader: "forwarded" }],
    ["a header without a name", "ipHeader", { ipHeader: "" }],
    ["a header that can't be", "ipHeader", { ipHeader: "a b" }],
    ["no hops", "trustedProxies", { trustedProxies: 0 }],
    ["all hops", "trustedProxies", { trustedProxies: true }],
    ["a prefix that can't be", "ipv6Prefix", { ipHeader: "a", ipv6Prefix: 8 }],
    ["a key that is no function", "key", { key: "ann" }],
    ["no limits", "limits", { key, limits: [] }],
    ["limits and a limit", "limits", { key, limits: [{ window: "1m", limit: 1 }], window: "1m" }],
    ["the same limit twice", "limits", { key, limits: [{ window: "1m" }, { window: 60, key: () => "a" }] }],
    ["a limit of nothing", "limit", { key, window: "1m", limit: 0 }],
    ["an unknown form", "headers", { key, headers: "draft-6" }],
    ["forms that exclude each other", "headers", { key, headers: ["draft-7", "draft-10"] }],
    ["a form that is no text", "headers", { key, headers: true }],
    ["a misspelt option", "trustedProxy", { trustedProxy: 1 }],
    ["an option of the limiter", "onError", { key, onError: "open" }],
    ["a misspelt option of one of several limits", "windw", { key, limits: [{ windw: "1m", limit: 1 }] }],
    ["limits that are no list", "limits", { key, limits: { window: "1m" } }],
    ["a burst of nothing", "burst", { key, window: "1m", limit: 1, burst: 0 }],
    ["a window that is too long", "window", { key, window: "400d", limit: 1 }],
    ["a scope without a name", "scope", { key, window: "1m", limit: 1, scope: "" }],
    ["a cost of nothing", "cost", { key, cost: 0 }],
    ["a cost that is text", "cost", { key, cost: "5" }],
    ["a skip that is no function", "skip", { key, skip: true }],
    ["an answer that is no function", "onLimited", { key, onLimited: 429 }],
    ["a name that is none", "policyName", { key, policyName: 7 }],
  ])("refuses %s before the first request", (_, setting, options) => {
    let thrown: unknown;
    try {
      withRateLimit(hello, countingLimiter(), options as FetchLimitOptions<[]>);
    } catch (error) {
      thrown = error;
    }
    expect(isConfigError(thrown), String(thrown)).toBe(true);
    expect(thrown).toMatchObject({ setting });
  });

  it("refuses a wrong window, and a value that is no limiter", () => {
    expect(() => withRateLimit(hello, countingLimiter(), { key, window: "1w" as "1s", limit: 1 })).toThrow(/window/);
    expect(() => withRateLimit(hello, undefined as never, { key })).toThrow(/a RateLimiter.*got undefined/);
  });
});
