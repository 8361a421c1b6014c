import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { RateLimiter, UpstashCache } from "continuum-cache";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  buildSite,
  cachedFetches,
  installSite,
  type NextVersion,
  packPackages,
  type RunningSite,
  startSite,
} from "./next-site.ts";

const versions: readonly NextVersion[] = [
  { next: "14.2.35", react: "18.3.1", reactTypes: "18.3.32", proxy: "middleware" },
  { next: "15.5.29", react: "19.3.1", reactTypes: "19.3.3", proxy: "middleware" },
  { next: "16.4.6", react: "19.3.1", reactTypes: "19.3.3", proxy: "proxy" },
];

let work: string;
const folderOf = ({ next }: NextVersion): string => join(work, `next-${next}`);

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "next-"));
  const packages = await packPackages(work);
  await Promise.all(versions.map((version) => installSite(folderOf(version), version, packages)));
}, 900_000);
afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 5 }));

describe.each(versions)("Next.js $next", (version) => {
  let redis: RedisServer;
  let local: UpstashLocal;
  let own: UpstashCache;
  let site: RunningSite;
  const variables = () => ({ UPSTASH_REDIS_REST_URL: local.url, UPSTASH_REDIS_REST_TOKEN: local.token });
  let visitors = 0;
  const newAddress = (): string => `198.18.${++visitors >> 8}.${visitors & 255}`;

  /** Each call comes from another address unless it says from which: the proxy limits them. */
  const ask = (path: string, init: RequestInit = {}, address = newAddress()): Promise<Response> =>
    fetch(site.url + path, { ...init, headers: { "x-forwarded-for": address } });
  const json = async (path: string, init?: RequestInit): Promise<Record<string, unknown>> => {
    const response = await ask(path, init);
    const text = await response.text();
    expect(response.status, `${path}: ${text.slice(0, 300)}\n${site.output()}`).toBe(200);
    return JSON.parse(text);
  };

  beforeAll(() => buildSite(folderOf(version)), 900_000);
  beforeAll(async () => {
    redis = await startRedisServer();
    local = await startUpstashLocal({ port: 0, token: crypto.randomUUID(), redisUrl: redis.url });
    own = new UpstashCache({ mode: "rest", restUrl: local.url, restToken: local.token, env: {} });
  });
  afterAll(async () => {
    await own?.close();
    await local?.close();
    await redis?.close();
  });

  it("builds without any secret", () => {
    expect(readFileSync(join(folderOf(version), ".next/BUILD_ID"), "utf8")).not.toBe("");
  });

  it("names the missing variable in the log and to no visitor when it has no secrets", async () => {
    site = await startSite(folderOf(version), {});
    try {
      for (const path of ["/api/node", "/api/edge", "/"]) {
        const response = await ask(path);
        expect([path, response.status]).toEqual([path, 500]);
        expect(await response.text()).not.toContain("UPSTASH");
      }
      await expect.poll(() => site.output()).toContain("UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN");
    } finally {
      await site.stop();
    }
  });

  describe("served", () => {
    beforeEach(async () => {
      site = await startSite(folderOf(version), variables());
    });
    afterEach(() => site.stop());

    // Each attempt has names of its own. On a starved machine a call may exceed its timeout and get its answer from
    // memory; a later attempt gets it from Redis.
    let attempts = 0;

    it.each(["node", "edge"])("calls of every kind reach Redis from the %s runtime", async (runtime) => {
      let name = "";
      const attempt = () => {
        name = `next-${runtime}-${++attempts}`;
        return json(`/api/${runtime}`, { method: "POST", body: JSON.stringify({ name }) });
      };
      await expect.poll(attempt).toMatchObject({
        set: true,
        get: { n: 1 },
        getMany: [1, null, "two"],
        loads: [1, 1, 1],
        increments: [1, 2, 3],
        deletePattern: 2,
        publish: { receivers: 0 },
        depth: 1,
        decisions: [true, true, false].map((allowed) => ({ allowed, source: "redis" })),
        backend: "upstash",
        pending: 0,
      });
      expect(await own.get(`${name}:count`)).toBe(3);
      expect(site.output()).not.toContain("not supported in the Edge Runtime");
    });

    it.each(["node", "edge"])("a route of the %s runtime answers", async (runtime) => {
      const path = runtime === "edge" ? "/api/edge-search" : "/api/search";
      const answer = { results: [`what ${runtime} means`], backend: "upstash" };
      await expect.poll(() => json(`${path}?q=${runtime}`)).toEqual(answer);
      expect((await ask(`${path}?q=+`)).status).toBe(400);
    });

    it("shows each change in Redis at once: Next.js keeps no answer of Upstash", async () => {
      const paths = ["/api/node", "/api/edge", "/api/edge-cached"];
      for (const value of [1, 2]) {
        await own.set("probe", value);
        for (const path of [...paths, ...paths]) {
          const before = local.usage.commands;
          await expect.poll(() => json(path), { message: path }).toEqual({ value, backend: "upstash" });
          expect(local.usage.commands).toBeGreaterThan(before);
        }
        expect(await (await ask("/")).text()).toContain(`<p id="value">${value}</p>`);
        // A server that has just started has an empty memory; a fetch cache of Next.js would be on its disk.
        await site.stop();
        site = await startSite(folderOf(version), variables());
      }
      expect(cachedFetches(folderOf(version))).toEqual([]);
    });

    it(`${version.proxy}.ts limits requests by the count in Redis for all processes`, async () => {
      const limit = { scope: "api", window: "1m", limit: 100 } as const;
      const limiter = new RateLimiter(own, { budget: "30s" });
      const attempt = async () => {
        const address = newAddress();
        await limiter.limit(address, { ...limit, cost: 99 });
        const statuses: number[] = [];
        for (let count = 0; count < 3; count++) {
          const response = await ask("/api/search?q=limited", {}, address);
          statuses.push(response.status);
          expect(response.headers.get("ratelimit-policy")).toBe('"api";q=100;w=60');
          await response.arrayBuffer();
        }
        return { statuses, current: (await limiter.getUsage(address, limit)).current };
      };
      await expect.poll(attempt).toEqual({ statuses: [200, 429, 429], current: 100 });
    });

    it("answers from memory while Upstash is away, says so in the log, and returns", { timeout: 600_000 }, async () => {
      await own.set("probe", "before");
      for (const path of ["/api/node", "/api/edge"]) {
        await expect.poll(() => json(path)).toEqual({ value: "before", backend: "upstash" });
        // A limiter without any reply of Redis has no share of the limit.
        const warm = () => json(path, { method: "POST", body: JSON.stringify({ name: `warm-${++attempts}` }) });
        await expect.poll(warm).toMatchObject({ decisions: [1, 2, 3].map(() => ({ source: "redis" })) });
      }
      local.fault("refuse");
      try {
        for (const path of ["/api/node", "/api/edge"]) {
          const did = await json(path, { method: "POST", body: JSON.stringify({ name: `away-${path.slice(5)}` }) });
          expect(did).toMatchObject({ backend: "local", set: true, get: { n: 1 }, increments: [1, 2, 3] });
          expect(did["decisions"]).toContainEqual({ allowed: true, source: "local" });
        }
        await expect.poll(() => site.output()).toMatch(/Cache: "local" answers now/);
        await expect.poll(() => site.output()).toMatch(/Rate limits: "local" decides now/);
      } finally {
        local.fault(undefined);
      }
      for (const runtime of ["node", "edge"]) {
        await expect
          .poll(() => json(`/api/${runtime}`), { interval: 200, timeout: 120_000 })
          .toMatchObject({ backend: "upstash" });
        await expect.poll(() => own.get(`away-${runtime}:count`), { timeout: 60_000 }).toBe(3);
      }
    });
  });
});
