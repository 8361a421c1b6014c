import { ConfigError } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { describe, expect, it } from "vitest";
import { withRateLimit } from "../../src/fetch.ts";
import { CostError, RateLimiter } from "../../src/index.ts";
import { countingLimiter } from "./counting-limiter.ts";

const opened = closing();
const rule = { window: "1m", limit: 2, scope: "api" } as const;
const key = (request: Request) => request.headers.get("x-user") ?? undefined;
const from = (headers: Record<string, string>) => new Request("https://example.com/a", { headers });
const ann = from({ "x-user": "ann" });
const hello = () => new Response("hello", { headers: { "X-Own": "1" } });

describe("withRateLimit", () => {
  it("lets requests through until the limit, each with its headers, then answers with problem details", async () => {
    const handler = withRateLimit(hello, countingLimiter(), { ...rule, key });
    const first = await handler(ann);
    expect(await first.text()).toBe("hello");
    expect(Object.fromEntries(first.headers)).toEqual({
      "content-type": "text/plain;charset=UTF-8",
      ratelimit: '"api";r=1;t=30',
      "ratelimit-policy": '"api";q=2;w=60',
      "x-own": "1",
    });
    expect((await handler(ann)).headers.get("RateLimit")).toBe('"api";r=0;t=30');
    const refused = await handler(ann);
    expect(refused.status).toBe(429);
    expect(Object.fromEntries(refused.headers)).toEqual({
      "content-type": "application/problem+json",
      ratelimit: '"api";r=0;t=30',
      "ratelimit-policy": '"api";q=2;w=60',
      "retry-after": "30",
    });
    expect(await refused.json()).toEqual({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Quota exceeded",
      status: 429,
      detail: "Try again in 30 seconds.",
      "violated-policies": ["api"],
    });
    expect((await handler(from({ "x-user": "bob" }))).status).toBe(200);
  });

  it("decides with a real limiter", async () => {
    const limiter = opened(new RateLimiter({ transport: opened(memoryTransport()) }, { window: "1h", limit: 2 }));
    const handler = withRateLimit(hello, limiter, { key, scope: "api" });
    expect((await handler(ann)).headers.get("RateLimit")).toMatch(/^"api";r=1;t=3[56]\d\d$/);
    expect((await handler(ann)).status).toBe(200);
    const refused = await handler(ann);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(3_500);
  });

  it("charges several limits of a real limiter together, or none of them", async () => {
    const limiter = opened(new RateLimiter({ transport: opened(memoryTransport()) }));
    const handler = withRateLimit(hello, limiter, {
      ipHeader: "cf-connecting-ip",
      limits: [
        { scope: "user", window: "1h", limit: 2, key },
        { scope: "address", window: "1h", limit: 3 },
      ],
    });
    const ask = (user: string) => handler(from({ "x-user": user, "cf-connecting-ip": "203.0.113.7" }));
    expect((await ask("ann")).headers.get("RateLimit-Policy")).toBe('"user";q=2;w=3600, "address";q=3;w=3600');
    expect((await ask("ann")).status).toBe(200);
    const refused = await ask("ann");
    expect(await refused.json()).toMatchObject({ status: 429, "violated-policies": ["user"] });
    expect((await ask("bob")).status).toBe(200);
    expect(await (await ask("bob")).json()).toMatchObject({ "violated-policies": ["address"] });
    expect(await limiter.getUsage("bob", { scope: "user", window: "1h", limit: 2 })).toMatchObject({ current: 1 });
  });

  it("does not run the handler of a refused request", async () => {
    let runs = 0;
    const counted = () => {
      runs++;
      return hello();
    };
    const handler = withRateLimit(counted, countingLimiter(), { ...rule, key });
    for (let request = 0; request < 5; request++) await handler(ann);
    expect(runs).toBe(2);
  });

  it("passes the platform's further arguments to the handler, the key and the cost", async () => {
    interface Env {
      readonly tenant: string;
    }
    const limiter = countingLimiter();
    const handler = withRateLimit(
      async (request: Request, env: Env, context: { readonly id: number }) =>
        Response.json([new URL(request.url).pathname, env.tenant, context.id]),
      limiter,
      { ...rule, key: (_, env) => env.tenant, cost: async (_request, _env, { id }) => id },
    );
    expect(await (await handler(ann, { tenant: "acme" }, { id: 2 })).json()).toEqual(["/a", "acme", 2]);
    expect(limiter.asked).toEqual([{ ...rule, id: "acme", cost: 2 }]);
  });

  it("calls a function for a limiter that can't be made before the request comes", async () => {
    const limiter = countingLimiter();
    const handler = withRateLimit(
      (_request: Request, _env: { readonly limiter: typeof limiter }) => hello(),
      (_, env) => env.limiter,
      { ...rule, key },
    );
    await handler(ann, { limiter });
    expect(limiter.asked).toEqual([{ ...rule, id: "ann" }]);
  });

  it("leaves options that are not set to the limiter", async () => {
    const limiter = countingLimiter();
    await withRateLimit(hello, limiter, { key })(ann);
    expect(limiter.asked).toEqual([{ id: "ann" }]);
  });

  describe("the key", () => {
    it("is computed once where several limits share it", async () => {
      let calls = 0;
      const limiter = countingLimiter();
      const handler = withRateLimit(hello, limiter, {
        key: async () => {
          calls++;
          return "ann";
        },
        limits: [
          { window: "1m", limit: 10 },
          { window: "1d", limit: 100 },
          { window: "1d", limit: 500, scope: "tenant", key: () => "acme" },
        ],
        cost: 3,
      });
      expect((await handler(ann)).headers.get("RateLimit")).toBe(
        '"default-60s";r=7;t=30, "default-86400s";r=97;t=30, "tenant";r=497;t=30',
      );
      expect(calls).toBe(1);
      expect(limiter.asked.map(({ id, cost }) => [id, cost])).toEqual([
        ["ann", 3],
        ["ann", 3],
        ["acme", 3],
      ]);
    });

    it.each([
      ["undefined", undefined],
      ['""', ""],
      ["null", null],
      ["number", 7],
    ])("is no free pass when it is %s, but an error", async (got, id) => {
      const limiter = countingLimiter();
      const handler = withRateLimit(hello, limiter, { ...rule, key: () => id as string });
      await expect(handler(ann)).rejects.toThrow(TypeError);
      const advice = "return a text for each request, and let `skip` exclude those that are not limited";
      await expect(handler(ann)).rejects.toThrow(`got ${got}: ${advice}`);
      expect(limiter.asked).toEqual([]);
    });

    it("is not computed for a skipped request, which is not counted and gets no headers", async () => {
      const limiter = countingLimiter();
      const handler = withRateLimit(hello, limiter, {
        ...rule,
        key: () => undefined,
        skip: async (request) => new URL(request.url).pathname === "/a",
      });
      const answer = await handler(ann);
      expect(answer.status).toBe(200);
      expect(answer.headers.has("RateLimit")).toBe(false);
      expect(limiter.asked).toEqual([]);
      await expect(handler(new Request("https://example.com/b"))).rejects.toThrow(TypeError);
    });

    it("passes its errors on, and those of a wrong cost", async () => {
      const broken = () => Promise.reject(new Error("no session store"));
      await expect(withRateLimit(hello, countingLimiter(), { ...rule, key: broken })(ann)).rejects.toThrow(
        "no session",
      );
      const limiter = opened(new RateLimiter({ transport: opened(memoryTransport()) }, rule));
      await expect(withRateLimit(hello, limiter, { key, cost: 3 })(ann)).rejects.toThrow(CostError);
      await expect(withRateLimit(hello, limiter, { key, cost: () => Number.NaN })(ann)).rejects.toThrow(ConfigError);
    });
  });
});
