import type { AddressInfo } from "node:net";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { afterEach, describe, expect, it } from "vitest";
import { rateLimit } from "../../src/hono.ts";
import { RateLimiter } from "../../src/index.ts";
import { countingLimiter } from "./counting-limiter.ts";

const opened = closing();
const rule = { window: "1m", limit: 2, scope: "api" } as const;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Serves an app on a free port. */
const served = (app: Hono): Promise<string> =>
  new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }: AddressInfo) =>
      resolve(`http://127.0.0.1:${port}`),
    );
    closers.push(() => new Promise((done) => void server.close(() => done())));
  });

describe("rateLimit for Hono", () => {
  it("limits by the address of the connection, whatever a client claims in its headers", async () => {
    const limiter = countingLimiter();
    const url = await served(new Hono().use(rateLimit(limiter, rule)).get("/", (c) => c.text("hello")));
    const ask = (claim: string) => fetch(url, { headers: { "X-Forwarded-For": claim, "CF-Connecting-IP": claim } });
    const first = await ask("6.6.6.1");
    expect(await first.text()).toBe("hello");
    expect(first.headers.get("RateLimit-Policy")).toBe('"api";q=2;w=60');
    expect(first.headers.get("RateLimit")).toBe('"api";r=1;t=30');
    expect((await ask("6.6.6.2")).status).toBe(200);
    const refused = await ask("6.6.6.3");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("Content-Type")).toBe("application/problem+json");
    expect(refused.headers.get("Retry-After")).toBe("30");
    expect(await refused.json()).toMatchObject({ status: 429, "violated-policies": ["api"] });
    expect(new Set(limiter.asked.map(({ id }) => id))).toEqual(new Set(["127.0.0.1"]));
  });

  it("decides with a real limiter", async () => {
    const limiter = opened(new RateLimiter({ transport: opened(memoryTransport()) }, { window: "1h", limit: 2 }));
    const url = await served(new Hono().use(rateLimit(limiter)).get("/", (c) => c.text("hello")));
    const statuses = [];
    for (let request = 0; request < 3; request++) statuses.push((await fetch(url)).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it("counts forwarded addresses from the right once it is told of the proxies", async () => {
    const limiter = countingLimiter();
    const app = new Hono().use(rateLimit(limiter, { ...rule, trustedProxies: 1 })).get("/", (c) => c.text("hello"));
    app.onError(({ name }, c) => c.text(name, 500));
    const url = await served(app);
    for (const claim of ["6.6.6.1, 203.0.113.7", "6.6.6.2, 203.0.113.7:81"]) {
      expect((await fetch(url, { headers: { "X-Forwarded-For": claim } })).status).toBe(200);
    }
    expect(limiter.asked.map(({ id }) => id)).toEqual(["203.0.113.7", "203.0.113.7"]);
    const unproxied = await fetch(url);
    expect([unproxied.status, await unproxied.text()]).toEqual([500, "TypeError"]);
  });

  it("shows the limits on every response, and changes nothing else of it", async () => {
    const limiter = countingLimiter();
    const app = new Hono()
      .use(rateLimit(limiter, { ...rule, limit: 100 }))
      .get("/json", (c) => c.json({ a: 1 }, 201, { RateLimit: "mine" }))
      .get("/redirect", () => Response.redirect("https://example.com/b", 303))
      .get("/fetched", () => fetch("data:text/plain,fetched"))
      .get("/cookies", (c) => {
        c.header("Set-Cookie", "a=1", { append: true });
        c.header("Set-Cookie", "b=2", { append: true });
        return c.body(null, 204);
      })
      .get("/broken", () => {
        throw new Error("broken");
      });
    app.onError((_, c) => c.text("sorry", 500));
    const url = await served(app);
    const ask = (path: string) => fetch(url + path, { redirect: "manual" });
    const json = await ask("/json");
    expect([json.status, json.headers.get("RateLimit"), await json.json()]).toEqual([201, "mine", { a: 1 }]);
    expect(json.headers.get("RateLimit-Policy")).toBe('"api";q=100;w=60');
    const redirect = await ask("/redirect");
    expect([redirect.status, redirect.headers.get("Location")]).toEqual([303, "https://example.com/b"]);
    expect(redirect.headers.get("RateLimit")).toBe('"api";r=98;t=30');
    const fetched = await ask("/fetched");
    expect([await fetched.text(), fetched.headers.get("RateLimit")]).toEqual(["fetched", '"api";r=97;t=30']);
    const cookies = await ask("/cookies");
    expect(cookies.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(cookies.headers.has("RateLimit")).toBe(true);
    for (const [path, status] of [
      ["/broken", 500],
      ["/nowhere", 404],
    ] as const) {
      const answer = await ask(path);
      expect([answer.status, answer.headers.has("RateLimit")]).toEqual([status, true]);
    }
  });

  it("lists the limits of all limiters on the way, and lets each refuse by its own", async () => {
    const app = new Hono()
      .use(rateLimit(countingLimiter(), { ...rule, limit: 100 }))
      .use("/search", rateLimit(countingLimiter(), { ...rule, scope: "search", limit: 1 }))
      .get("/search", (c) => c.text("found"));
    const url = `${await served(app)}/search`;
    expect((await fetch(url)).headers.get("RateLimit")).toBe('"search";r=0;t=30, "api";r=99;t=30');
    const refused = await fetch(url);
    expect(refused.headers.get("RateLimit")).toBe('"search";r=0;t=30, "api";r=98;t=30');
    expect(refused.headers.get("RateLimit-Policy")).toBe('"search";q=1;w=60, "api";q=100;w=60');
    expect(await refused.json()).toMatchObject({ "violated-policies": ["search"] });
  });

  it("knows the app's own context in the key, the cost, `skip` and `onLimited`", async () => {
    interface Env {
      Variables: { user: string };
    }
    const limiter = countingLimiter();
    const app = new Hono<Env>();
    app.use(async (c, next) => {
      c.set("user", "ann");
      await next();
    });
    app.use(
      rateLimit(limiter, {
        ...rule,
        key: (c: Context<Env>) => `user:${c.get("user")}`,
        cost: (c) => Number(c.req.query("cost") ?? 1),
        skip: (c) => c.req.path === "/health",
        onLimited: ({ retryAfter }, c) => c.text(`wait ${retryAfter} s`, 429, { "X-Own": "1" }),
      }),
    );
    app.get("/:page", (c) => c.text("hello"));
    expect((await app.request("/health")).headers.has("RateLimit")).toBe(false);
    expect((await app.request("/a?cost=2")).status).toBe(200);
    const refused = await app.request("/a");
    expect([refused.status, await refused.text()]).toEqual([429, "wait 30 s"]);
    expect([refused.headers.get("X-Own"), refused.headers.get("Retry-After")]).toEqual(["1", "30"]);
    expect(limiter.asked).toEqual([
      { ...rule, id: "user:ann", cost: 2 },
      { ...rule, id: "user:ann", cost: 1 },
    ]);
  });

  it("types the properties that most keys are made of, for any context", async () => {
    const limiter = countingLimiter();
    const app = new Hono()
      .use(
        rateLimit(limiter, {
          ...rule,
          key: (c) => c.req.header("x-user") ?? c.req.path,
          skip: (c) => c.req.method === "HEAD",
        }),
      )
      .get("/a", (c) => c.text("hello"));
    await app.request("/a");
    await app.request("/a", { headers: { "X-User": "ann" } });
    await app.request("/a", { method: "HEAD" });
    expect(limiter.asked.map(({ id }) => id)).toEqual(["/a", "ann"]);
  });

  it("takes a limiter from the environment, where settings come with each request", async () => {
    const limiter = countingLimiter();
    interface Env {
      Bindings: { limiter: typeof limiter };
    }
    const app = new Hono<Env>();
    app.use(rateLimit((c: Context<Env>) => c.env.limiter, { ...rule, key: () => "ann" }));
    app.get("/", (c) => c.text("hello"));
    expect((await app.request("/", {}, { limiter })).status).toBe(200);
    expect(limiter.asked).toHaveLength(1);
  });

  it("is an error that names the fix where the runtime knows no connection", async () => {
    const app = new Hono().use(rateLimit(countingLimiter(), rule)).get("/", (c) => c.text("hello"));
    let told: unknown;
    app.onError((error, c) => {
      told = error;
      return c.text("sorry", 500);
    });
    expect((await app.request("/", { headers: { "X-Forwarded-For": "6.6.6.6" } })).status).toBe(500);
    expect(String(told)).toMatch(/set `ipHeader:.*`trustedProxies: 1`.*getConnInfo/);
  });
});
