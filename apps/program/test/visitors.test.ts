import { UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createProgram, type Program } from "../src/index.ts";
import { limits } from "../src/limits.ts";
import { knowledge } from "./empty-knowledge.ts";

let cache: UpstashCache;
let program: Program;
const logged: string[] = [];
beforeAll(() => {
  cache = new UpstashCache({ mode: "local", env: {} });
  program = createProgram({ cache, knowledge, server: undefined, logError: (line) => logged.push(line) });
});
afterAll(() => cache.close());

describe("a visitor", () => {
  const search = (client?: string) => program.request("/api/search?q=a", {}, client === undefined ? {} : { client });
  const remaining = async (client?: string) => {
    const response = await search(client);
    expect(response.status).toBe(200);
    return Number(/r=(\d+)/.exec(response.headers.get("ratelimit") ?? "")?.[1]);
  };

  it("gets answers without a usable address, and shares one limit with all such visitors", async () => {
    const unusable = ["unknown", "", undefined, "garbage, 1.2.3.4", "203.0.113.7, 203.0.113.8", "a".repeat(10_000)];
    const counts: number[] = [];
    for (const client of unusable) counts.push(await remaining(client));
    expect(counts).toEqual(unusable.map((_, index) => limits.search.limit - 1 - index));
    expect(await remaining("203.0.113.7")).toBe(limits.search.limit - 1);
  });

  it("appears once in the log without a usable address, and without its text", () => {
    const lines = logged.filter((line) => line.includes("address"));
    expect(lines).toEqual([expect.stringMatching(/^Visitors without a usable address share one limit: /)]);
    expect(lines.join()).not.toMatch(/unknown|garbage/);
  });

  it.each([
    ["http://demo.example", {}, false],
    ["https://demo.example", {}, true],
    ["http://demo.example", { secure: true }, true],
    ["https://demo.example", { secure: false }, false],
  ])("at %s, with the facts %j, gets a Secure cookie: %s", async (origin, facts, secure) => {
    const response = await program.request(`${origin}/api/session`, {}, facts);
    expect(/; Secure(;|$)/.test(response.headers.get("set-cookie") ?? "")).toBe(secure);
    expect(response.headers.get("strict-transport-security")).toBe(secure ? "max-age=15552000" : null);
  });
});

describe("every answer", () => {
  it.each(["/", "/healthz", "/api/stats", "/api/session", "/api/search", "/nothing", "/../../etc/passwd"])(
    "of %s is kept by no cache, framed by no page and taken for nothing else",
    async (path) => {
      const { headers } = await program.request(path);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    },
  );

  it("is 404 for a method that a path does not have, and nothing changes", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      for (const path of ["/", "/healthz", "/api/stats", "/api/search", "/api/session", "/api/memories/n00000001"]) {
        const response = await program.request(path, { method });
        expect([method, path, response.status]).toEqual([method, path, 404]);
        expect(response.headers.get("access-control-allow-origin")).toBeNull();
      }
    }
  });
});

describe("health", () => {
  it("costs one command a second, for any number of requests", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const asked = createProgram({ cache, knowledge, server: undefined });
      const before = cache.stats().commands;
      for (let second = 1; second <= 3; second++) {
        for (let count = 0; count < 20; count++) expect((await asked.request("/healthz")).status).toBe(200);
        expect(cache.stats().commands - before).toBe(second);
        vi.advanceTimersByTime(1_000);
      }
    } finally {
      vi.useRealTimers();
    }
  });
});
