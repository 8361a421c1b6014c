import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rateLimitHeaders } from "../src/http/rate-limit-headers.ts";
import { rateLimitProblem } from "../src/http/rate-limit-problem.ts";
import { decided } from "./http/decided.ts";
import { parseList } from "./http/structured-list.ts";

const fields = (...given: Parameters<typeof rateLimitHeaders>) => Object.fromEntries(rateLimitHeaders(...given));
const refused = { allowed: false, remaining: 0, current: 100, retryAfter: 17.001, moreAfter: 16.2 } as const;
const daily = decided({ scope: "daily", windowSeconds: 86_400, limit: 1_000, remaining: 7, moreAfter: 3_600 });

describe("rateLimitHeaders", () => {
  it("shows the policy and the quota that is left, as in draft 10", () => {
    expect(fields(decided())).toEqual({
      "ratelimit-policy": '"api";q=100;w=60',
      ratelimit: '"api";r=42;t=17',
    });
  });

  it("adds Retry-After to a refusal alone, rounded up, and never earlier than more is free", () => {
    expect(rateLimitHeaders(decided()).has("Retry-After")).toBe(false);
    expect(fields(decided(refused))).toMatchObject({ ratelimit: '"api";r=0;t=17', "retry-after": "18" });
    expect(fields(decided({ ...refused, retryAfter: 17 }))["retry-after"]).toBe("17");
    expect(fields(decided({ ...refused, retryAfter: 3 }))["retry-after"]).toBe("17");
    expect(fields(decided({ ...refused, retryAfter: 0.0001, moreAfter: 0 }))["retry-after"]).toBe("1");
    expect(fields(decided({ ...refused, retryAfter: 0, moreAfter: 0 }))["retry-after"]).toBe("1");
  });

  it("waits for those limits alone that refused", () => {
    const two = [decided(refused), daily];
    expect(fields(two)["retry-after"]).toBe("18");
    expect(fields([decided(refused), { ...daily, allowed: false, retryAfter: 3_600 }])["retry-after"]).toBe("3600");
  });

  it("shows no time where all is free, since a time of 0 would promise any rate", () => {
    expect(fields(decided({ remaining: 100, current: 0, moreAfter: 0 }))["ratelimit"]).toBe('"api";r=100');
  });

  it("lists several limits, and takes the answer of limitAll as it is", () => {
    const decisions = [decided(), daily];
    const expected = {
      "ratelimit-policy": '"api";q=100;w=60, "daily";q=1000;w=86400',
      ratelimit: '"api";r=42;t=17, "daily";r=7;t=3600',
    };
    expect(fields(decisions)).toEqual(expected);
    expect(fields({ allowed: true, retryAfter: 0, source: "redis", decisions })).toEqual(expected);
  });

  it("gives limits of one scope different names", () => {
    const names = (...given: Parameters<typeof rateLimitHeaders>) =>
      parseList(rateLimitHeaders(...given).get("RateLimit") ?? "").map(({ value }) => value);
    const day = decided({ windowSeconds: 86_400 });
    expect(names([decided(), day])).toEqual(["api-60s", "api-86400s"]);
    expect(names([decided(), decided(), day, daily])).toEqual(["api-60s", "api-60s-2", "api-86400s", "daily"]);
    expect(names([decided(), day, decided({ scope: "api-60s" })])).toEqual(["api-60s", "api-86400s", "api-60s-2"]);
    expect(names([decided(), day], { policyName: "all" })).toEqual(["all-60s", "all-86400s"]);
    expect(names(decided(), { policyName: ({ scope, limit }) => `${scope}/${limit}` })).toEqual(["api/100"]);
  });

  it("rounds a window below a second up, since the field knows whole seconds alone", () => {
    expect(fields(decided({ windowSeconds: 0.25 }))["ratelimit-policy"]).toBe('"api";q=100;w=1');
  });

  it("writes fields that any parser of structured fields reads back, whatever the scope and the numbers", () => {
    const count = fc.integer({ min: 0, max: 1_000_000_000 });
    const seconds = fc.double({ min: 0, max: 366 * 86_400, noNaN: true });
    const scope = fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.constant('a"b\\c\r\nSet-Cookie: d=e\u0000ü'));
    const decision = fc
      .record({ scope, limit: count, remaining: count, moreAfter: seconds, windowSeconds: fc.constantFrom(1, 60) })
      .map(decided);
    fc.assert(
      fc.property(fc.array(decision, { minLength: 1, maxLength: 4 }), (decisions) => {
        const headers = rateLimitHeaders(decisions);
        const policies = parseList(headers.get("RateLimit-Policy") ?? "");
        const left = parseList(headers.get("RateLimit") ?? "");
        expect(policies.map(({ value }) => value)).toEqual(left.map(({ value }) => value));
        expect(new Set(left.map(({ value }) => value)).size).toBe(decisions.length);
        for (const [index, { limit, remaining, moreAfter, windowSeconds }] of decisions.entries()) {
          expect(policies[index]?.parameters).toEqual({ q: limit, w: windowSeconds });
          const t = moreAfter > 0 ? { t: Math.ceil(moreAfter) } : {};
          expect(left[index]?.parameters).toEqual({ r: remaining, ...t });
        }
      }),
      runs(500),
    );
  });

  it("keeps a scope with quotes, backslashes and spaces as it is", () => {
    const scope = 'the "fast" \\ lane';
    const headers = rateLimitHeaders(decided({ scope }));
    expect(headers.get("RateLimit")).toBe('"the \\"fast\\" \\\\ lane";r=42;t=17');
    expect(parseList(headers.get("RateLimit") ?? "")[0]?.value).toBe(scope);
  });

  it("encodes what a header can't hold, and cuts what is too long for one", () => {
    const name = (scope: string) => parseList(rateLimitHeaders(decided({ scope })).get("RateLimit") ?? "")[0]?.value;
    expect(name("größe")).toBe("gr%C3%B6%C3%9Fe");
    expect(name("a\r\nSet-Cookie: b=c")).toBe("a%0D%0ASet-Cookie: b=c");
    expect(name("\ud800")).toBe("%EF%BF%BD");
    expect(name("")).toBe("default");
    expect(name("x".repeat(10_000))).toBe("x".repeat(128));
  });

  it("shows no id, not even in a refusal with a receipt beside it", () => {
    const key = "ratelimit:api:ann%40example.com:60s";
    const window = { bornUs: 1, atUs: 1, cost: 1, limit: 100, capacity: 100, windowUs: 60_000_000 };
    const receipt = { id: "f3b1", key, algorithm: "sliding-window", ...window } as const;
    for (const format of ["draft-10", "draft-7", "legacy"] as const) {
      expect(JSON.stringify(fields([decided({ receipt }), decided(refused)], { format }))).not.toMatch(/ann|f3b1/);
    }
  });

  describe("in the form of draft 7", () => {
    const format = "draft-7";

    it("shows one limit in one field, and when all of it is free again", () => {
      expect(fields(decided(), { format })).toEqual({
        "ratelimit-policy": "100;w=60",
        ratelimit: "limit=100, remaining=42, reset=60",
      });
    });

    it("means the same moment as Retry-After on a refusal", () => {
      expect(fields(decided(refused), { format })).toEqual({
        "ratelimit-policy": "100;w=60",
        ratelimit: "limit=100, remaining=0, reset=18",
        "retry-after": "18",
      });
    });

    it("takes the limit with the least left, and lists all policies, one for each quota", () => {
      const same = decided({ scope: "other", windowSeconds: 3_600 });
      expect(fields([decided(), daily, same], { format })).toEqual({
        "ratelimit-policy": "100;w=3600, 1000;w=86400",
        ratelimit: "limit=1000, remaining=7, reset=60",
      });
    });

    it("takes a limit that refused before one that has less left", () => {
      const wide = decided({ scope: "wide", allowed: false, retryAfter: 5, moreAfter: 1, limit: 50, remaining: 10 });
      expect(fields([daily, wide], { format })["ratelimit"]).toBe("limit=50, remaining=10, reset=5");
    });
  });

  describe("in the legacy form", () => {
    it("shows the time at which all is free again in seconds since 1970", () => {
      expect(fields(decided({ resetAt: new Date(1_000_060_001) }), { format: "legacy" })).toEqual({
        "x-ratelimit-limit": "100",
        "x-ratelimit-remaining": "42",
        "x-ratelimit-reset": "1000061",
      });
    });

    it("goes with either draft", () => {
      expect(Object.keys(fields(decided(refused), { format: ["draft-10", "legacy"] }))).toEqual([
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
      ]);
    });
  });

  it("leaves Retry-After alone when no format is wanted", () => {
    expect(fields(decided(), { format: [] })).toEqual({});
    expect(fields(decided(refused), { format: [] })).toEqual({ "retry-after": "18" });
  });

  it("refuses formats that it does not know, and two that write the same fields", () => {
    // @ts-expect-error: no such format.
    expect(() => rateLimitHeaders(decided(), { format: "draft-6" })).toThrow(
      /"draft-10", "draft-7", "legacy".*"draft-6"/,
    );
    expect(() => rateLimitHeaders(decided(), { format: ["draft-7", "draft-10"] })).toThrow(/choose one for `format`/);
    expect(() => rateLimitHeaders([])).toThrow(RangeError);
  });
});

describe("rateLimitProblem", () => {
  it("names the limits that refused, as the headers do", () => {
    const decisions = [
      decided(refused),
      decided({ windowSeconds: 3_600 }),
      { ...daily, allowed: false, retryAfter: 60 },
    ];
    expect(rateLimitProblem(decisions)).toEqual({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Quota exceeded",
      status: 429,
      detail: "Try again in 3600 seconds.",
      "violated-policies": ["api-60s", "daily"],
    });
    expect(rateLimitHeaders(decisions).get("RateLimit-Policy")).toContain('"api-60s"');
  });

  it("does not blame the caller when the limiter refuses because Redis is away", () => {
    expect(rateLimitProblem(decided({ ...refused, source: "closed", retryAfter: 1, moreAfter: 1 }))).toMatchObject({
      type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
      status: 503,
      detail: "Try again in 1 second.",
    });
  });

  it("throws where no decision is a refusal", () => {
    expect(() => rateLimitProblem(decided())).toThrow(RangeError);
  });
});
