import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request as requestOf, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import express, { type Application, type ErrorHandler, type Request, type Response } from "express";
import { afterEach, describe, expect, it } from "vitest";
import { rateLimit } from "../../src/express.ts";
import { RateLimiter } from "../../src/index.ts";
import { countingLimiter } from "./counting-limiter.ts";

const opened = closing();
const rule = { window: "1m", limit: 2, scope: "api" } as const;
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

/** Serves an app on a free port. */
async function served(app: Application): Promise<string> {
  const server = await new Promise<Server>((resolve) => {
    const started = app.listen(0, "127.0.0.1", () => resolve(started));
  });
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Keeps the errors of an app's error handler. */
function errorsOf(app: Application): unknown[] {
  const told: unknown[] = [];
  const handle: ErrorHandler = (error, _request, response, _next) => {
    told.push(error);
    response.status(500).send("sorry");
  };
  app.use(handle);
  return told;
}

const hello = (_request: Request, response: Response) => response.send("hello");

describe("rateLimit for Express", () => {
  it("limits by `req.ip`, whatever a client claims in its headers", async () => {
    const limiter = countingLimiter();
    const url = await served(express().use(rateLimit(limiter, rule)).get("/", hello));
    const ask = (claim: string) => fetch(url, { headers: { "X-Forwarded-For": claim, "CF-Connecting-IP": claim } });
    const first = await ask("6.6.6.1");
    expect(await first.text()).toBe("hello");
    expect(first.headers.get("RateLimit-Policy")).toBe('"api";q=2;w=60');
    expect(first.headers.get("RateLimit")).toBe('"api";r=1;t=30');
    expect(first.headers.has("Retry-After")).toBe(false);
    expect((await ask("6.6.6.2")).status).toBe(200);
    const refused = await ask("6.6.6.3");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("Content-Type")).toBe("application/problem+json");
    expect(refused.headers.get("Retry-After")).toBe("30");
    expect(await refused.json()).toEqual({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Quota exceeded",
      status: 429,
      detail: "Try again in 30 seconds.",
      "violated-policies": ["api"],
    });
    expect(new Set(limiter.asked.map(({ id }) => id))).toEqual(new Set(["127.0.0.1"]));
  });

  it("decides with a real limiter", async () => {
    const limiter = opened(new RateLimiter({ transport: opened(memoryTransport()) }, { window: "1h", limit: 2 }));
    const url = await served(express().use(rateLimit(limiter)).get("/", hello));
    const statuses = [];
    for (let request = 0; request < 3; request++) statuses.push((await fetch(url)).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it("goes by Express's own count of proxies", async () => {
    const limiter = countingLimiter();
    const app = express().set("trust proxy", 1).use(rateLimit(limiter, rule)).get("/", hello);
    const url = await served(app);
    for (const claim of ["6.6.6.1, 2001:db8:0:1ff::1", "6.6.6.2, 2001:DB8::1aa:0:0:0:2"]) {
      expect((await fetch(url, { headers: { "X-Forwarded-For": claim } })).status).toBe(200);
    }
    expect(limiter.asked.map(({ id }) => id)).toEqual(["2001:db8:0:100::/56", "2001:db8:0:100::/56"]);
  });

  it("refuses `trust proxy: true`, which would trust every text in X-Forwarded-For", async () => {
    const limiter = countingLimiter();
    const app = express().set("trust proxy", true).use(rateLimit(limiter, rule)).get("/", hello);
    const errors = errorsOf(app);
    const url = await served(app);
    expect((await fetch(url, { headers: { "X-Forwarded-For": "6.6.6.6" } })).status).toBe(500);
    expect(String(errors[0])).toMatch(/app\.set\("trust proxy", 1\)/);
    expect(limiter.asked).toEqual([]);
  });

  it("reads a platform's field, or counts hops, when told so", async () => {
    const limiter = countingLimiter();
    const app = express()
      .get("/cf", rateLimit(limiter, { ...rule, ipHeader: "CF-Connecting-IP" }), hello)
      .get("/hops", rateLimit(limiter, { ...rule, trustedProxies: 2 }), hello);
    const url = await served(app);
    const headers = { "CF-Connecting-IP": "203.0.113.7", "X-Forwarded-For": "6.6.6.6, 203.0.113.8, 10.0.0.2" };
    await fetch(`${url}/cf`, { headers });
    await fetch(`${url}/hops`, { headers });
    expect(limiter.asked.map(({ id }) => id)).toEqual(["203.0.113.7", "203.0.113.8"]);
  });

  it("is an error where a connection has no address", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ratelimit-express-"));
    try {
      const app = express().use(rateLimit(countingLimiter(), rule)).get("/", hello);
      const errors = errorsOf(app);
      const socketPath = join(folder, "socket");
      servers.push(
        await new Promise<Server>((resolve) => {
          const started = app.listen(socketPath, () => resolve(started));
        }),
      );
      const asked = requestOf({ socketPath, path: "/" }).end();
      const [answer] = await once(asked, "response");
      answer.resume();
      expect(answer.statusCode).toBe(500);
      expect(String(errors[0])).toMatch(/to have an address.*set `key:/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("lets handlers have the last word on their headers", async () => {
    const app = express()
      .use((_request, response, next) => {
        response.setHeader("X-RateLimit-Limit", "9");
        next();
      })
      .use(rateLimit(countingLimiter(), { ...rule, headers: ["draft-10", "legacy"] }))
      .get("/", (_request, response) => response.status(503).setHeader("RateLimit", "mine").end());
    const answer = await fetch(await served(app));
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ratelimit: "mine",
      "ratelimit-policy": '"api";q=2;w=60',
      "x-ratelimit-limit": "9",
      "x-ratelimit-remaining": "1",
    });
  });

  it("lists the limits of all limiters on the way, and describes the one that refuses", async () => {
    const headers = ["draft-10", "legacy"] as const;
    const app = express()
      .use(rateLimit(countingLimiter(), { ...rule, limit: 100, headers }))
      .get("/search", rateLimit(countingLimiter(), { ...rule, scope: "search", limit: 1, headers }), hello);
    const url = `${await served(app)}/search`;
    const both = await fetch(url);
    expect(both.headers.get("RateLimit-Policy")).toBe('"api";q=100;w=60, "search";q=1;w=60');
    expect(both.headers.get("RateLimit")).toBe('"api";r=99;t=30, "search";r=0;t=30');
    const refused = await fetch(url);
    expect(refused.headers.get("RateLimit")).toBe('"api";r=98;t=30, "search";r=0;t=30');
    expect(refused.headers.get("X-RateLimit-Limit")).toBe("1");
    expect(await refused.json()).toMatchObject({ "violated-policies": ["search"] });
  });

  it("knows the app's own request and response in the key, the cost, `skip` and `onLimited`", async () => {
    const limiter = countingLimiter();
    const app = express()
      .use((_request, response, next) => {
        response.locals["user"] = "ann";
        next();
      })
      .use(
        rateLimit(limiter, {
          ...rule,
          key: async (_request, response: Response) => `user:${response.locals["user"]}`,
          cost: (request: Request) => Number(request.query["cost"] ?? 1),
          skip: (request) => request.path === "/health",
          onLimited: ({ retryAfter }, _request, response) => response.json({ wait: retryAfter }),
        }),
      )
      .get("/health", hello)
      .get("/", hello);
    const url = await served(app);
    expect((await fetch(`${url}/health`)).headers.has("RateLimit")).toBe(false);
    expect((await fetch(`${url}/?cost=2`)).status).toBe(200);
    const refused = await fetch(url);
    expect([refused.status, await refused.json()]).toEqual([429, { wait: 30 }]);
    expect(refused.headers.get("Retry-After")).toBe("30");
    expect(limiter.asked.map(({ id, cost }) => [id, cost])).toEqual([
      ["user:ann", 2],
      ["user:ann", 1],
    ]);
  });

  it("hands errors of a key or of one's own answer to the app's error handler", async () => {
    const app = express()
      .get("/key", rateLimit(countingLimiter(), { ...rule, key: () => undefined }), hello)
      .get(
        "/answer",
        rateLimit(countingLimiter(), {
          ...rule,
          key: () => "ann",
          cost: () => 5,
          onLimited: async () => {
            throw new Error("no template");
          },
        }),
        hello,
      );
    const errors = errorsOf(app);
    const url = await served(app);
    expect((await fetch(`${url}/key`)).status).toBe(500);
    expect((await fetch(`${url}/answer`)).status).toBe(500);
    expect(errors.map(String)).toEqual([
      expect.stringMatching(/TypeError: Expected `key`.*`skip`/),
      "Error: no template",
    ]);
  });

  it("does nothing when another handler has responded before the decision came", async () => {
    let handled = 0;
    const gone: unknown[] = [];
    const app = express()
      .use((_request, response, next) => {
        next();
        response.status(504).send("too slow");
      })
      .use(rateLimit(countingLimiter(), { ...rule, limit: 1 }))
      .get("/", (_request, response) => {
        handled++;
        gone.push(response.headersSent);
      });
    const errors = errorsOf(app);
    const url = await served(app);
    expect((await fetch(url)).status).toBe(504);
    expect((await fetch(url)).status).toBe(504);
    expect([handled, gone, errors]).toEqual([1, [true], []]);
  });
});
