import { describe, expect, it } from "vitest";
import { type FetchLimitOptions, withRateLimit } from "../../src/fetch.ts";
import { countingLimiter } from "./counting-limiter.ts";
import { decided } from "./decided.ts";

const rule = { window: "1m", limit: 2, scope: "api" } as const;
const key = (request: Request) => request.headers.get("x-user") ?? undefined;
const ann = new Request("https://example.com/a", { headers: { "x-user": "ann" } });
const hello = () => new Response("hello");

describe("answers behind withRateLimit", () => {
  const answered = (answer: Response, options: Partial<FetchLimitOptions<[]>> = {}) =>
    withRateLimit(() => answer, countingLimiter(), { ...rule, key, ...options })(ann);

  it("keep what the handler has set itself", async () => {
    const headers = { RateLimit: "limit=1, remaining=1, reset=1", "Retry-After": "7", "X-RateLimit-Limit": "9" };
    const answer = await answered(new Response(null, { status: 503, headers }), { headers: ["draft-10", "legacy"] });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ratelimit: "limit=1, remaining=1, reset=1",
      "retry-after": "7",
      "x-ratelimit-limit": "9",
      "x-ratelimit-remaining": "1",
    });
  });

  it("may be redirects and fetched ones, whose headers can't be changed", async () => {
    const redirect = await answered(Response.redirect("https://example.com/b", 303));
    expect(redirect.status).toBe(303);
    expect(redirect.headers.get("Location")).toBe("https://example.com/b");
    expect(redirect.headers.get("RateLimit")).toBe('"api";r=1;t=30');
    const fetched = await answered(await fetch("data:text/plain,fetched"));
    expect(fetched.headers.get("RateLimit")).toBe('"api";r=1;t=30');
    expect(await fetched.text()).toBe("fetched");
  });

  it("keep all of their cookies", async () => {
    const headers = new Headers([
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ]);
    expect((await answered(new Response(null, { headers }))).headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it("may be one constant for all requests", async () => {
    const nothing = new Response(null, { status: 204 });
    const handler = withRateLimit(() => nothing, countingLimiter(), { ...rule, key });
    expect((await handler(ann)).headers.get("RateLimit")).toBe('"api";r=1;t=30');
    expect((await handler(ann)).headers.get("RateLimit")).toBe('"api";r=0;t=30');
    expect(nothing.headers.has("RateLimit")).toBe(false);
  });

  it("pass unchanged where no copy is possible", async () => {
    const error = Response.error();
    expect(await answered(error)).toBe(error);
  });

  it("stream on", async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("tick")),
      cancel: () => {
        isCancelled = true;
      },
    });
    const reader = (await answered(new Response(body))).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("tick");
    await reader?.cancel();
    expect(isCancelled).toBe(true);
  });

  it("show the limits in the chosen form, or not at all", async () => {
    const told = async (headers: FetchLimitOptions<[]>["headers"]) =>
      Object.fromEntries((await answered(new Response(null), headers === undefined ? {} : { headers })).headers);
    expect(await told("draft-7")).toEqual({
      ratelimit: "limit=2, remaining=1, reset=60",
      "ratelimit-policy": "2;w=60",
    });
    expect(Object.keys(await told("legacy"))).toEqual([
      "x-ratelimit-limit",
      "x-ratelimit-remaining",
      "x-ratelimit-reset",
    ]);
    expect(await told(false)).toEqual({});
    const handler = withRateLimit(hello, countingLimiter(), { ...rule, limit: 1, key, headers: false });
    await handler(ann);
    const refused = await handler(ann);
    expect([...refused.headers.keys()]).toEqual(["content-type", "retry-after"]);
  });

  it("list the limits of all limiters that a request went through", async () => {
    const inner = withRateLimit(hello, countingLimiter(), { ...rule, scope: "search", limit: 1, key });
    const outer = withRateLimit(inner, countingLimiter(), { ...rule, key });
    const both = await outer(ann);
    expect(both.headers.get("RateLimit-Policy")).toBe('"search";q=1;w=60, "api";q=2;w=60');
    expect(both.headers.get("RateLimit")).toBe('"search";r=0;t=30, "api";r=1;t=30');
    const refused = await outer(ann);
    expect(refused.headers.get("RateLimit")).toBe('"search";r=0;t=30, "api";r=0;t=30');
    expect(await refused.json()).toMatchObject({ "violated-policies": ["search"] });
  });

  it("are the application's own for a refusal, with the headers added", async () => {
    const handler = withRateLimit(hello, countingLimiter(), {
      ...rule,
      limit: 1,
      key,
      policyName: "fair use",
      onLimited: ({ retryAfter, problem, decisions, source }, request) =>
        Response.json([request.method, retryAfter, problem.status, decisions.length, source], {
          status: 420,
          headers: { "Retry-After": "99" },
        }),
    });
    await handler(ann);
    const refused = await handler(ann);
    expect(refused.status).toBe(420);
    expect(await refused.json()).toEqual(["GET", 30, 429, 1, "redis"]);
    expect(refused.headers.get("Retry-After")).toBe("99");
    expect(refused.headers.get("RateLimit")).toBe('"fair use";r=0;t=30');
  });

  it("hold each header once, also when the application's own response has copied the headers", async () => {
    const handler = withRateLimit(hello, countingLimiter(), {
      ...rule,
      limit: 1,
      key,
      onLimited: ({ headers }) => new Response("slow down", { status: 429, headers }),
    });
    await handler(ann);
    expect((await handler(ann)).headers.get("RateLimit")).toBe('"api";r=0;t=30');
  });

  it("are 503 when the limiter refuses because Redis is away", async () => {
    const closed = decided({ allowed: false, source: "closed", retryAfter: 1, moreAfter: 1, remaining: 0 });
    const limiter = { ...countingLimiter(), limit: async () => closed };
    const refused = await withRateLimit(hello, limiter, { ...rule, key })(ann);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("Retry-After")).toBe("1");
    expect(await refused.json()).toMatchObject({ status: 503 });
  });
});
