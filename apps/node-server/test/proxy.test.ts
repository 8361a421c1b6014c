import { createProgram, type Knowledge } from "@continuum-cache/program";
import { UpstashCache } from "continuum-cache";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Listening, listen } from "../src/listen.ts";

const knowledge: Knowledge = {
  conceptCount: 0,
  termCount: 0,
  normalize: (text) => text,
  search: () => [],
  memory: () => undefined,
};

let cache: UpstashCache;
let server: Listening | undefined;
beforeEach(() => {
  cache = new UpstashCache({ mode: "local", env: {} });
});
afterEach(async () => {
  await server?.close();
  await cache.close();
});

async function serve(trustedProxies: number) {
  const program = createProgram({ cache, knowledge, server: undefined });
  const opened = await listen((request, facts) => program.fetch(request, facts), { port: 0, trustedProxies });
  server = opened;
  return (path: string, headers: Record<string, string>) => fetch(opened.url + path, { headers });
}

describe("behind a proxy that ends TLS", () => {
  const remaining = ({ headers }: Response) => Number(/r=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1]);

  it("each visitor has a limit of its own, and no text that a visitor sends changes that", async () => {
    const ask = await serve(1);
    const from = async (forwarded: string) => remaining(await ask("/api/search?q=a", { "x-forwarded-for": forwarded }));
    expect(await from("203.0.113.7")).toBe(119);
    expect(await from("203.0.113.8")).toBe(119);
    expect(await from("9.9.9.9, 203.0.113.7")).toBe(118);
    expect(await from("203.0.113.8, 203.0.113.7")).toBe(117);
  });

  it("the cookie is Secure", async () => {
    const ask = await serve(1);
    const cookie = async (scheme: string) =>
      (await ask("/api/session", { "x-forwarded-proto": scheme })).headers.get("set-cookie");
    expect(await cookie("https")).toMatch(/; Secure/);
    expect(await cookie("http")).not.toMatch(/Secure/);
  });

  it("a server without a trusted proxy ignores those headers", async () => {
    const ask = await serve(0);
    const headers = { "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https" };
    expect(remaining(await ask("/api/search?q=a", headers))).toBe(119);
    expect(remaining(await ask("/api/search?q=a", { "x-forwarded-for": "203.0.113.8" }))).toBe(118);
    expect((await ask("/api/session", headers)).headers.get("set-cookie")).not.toMatch(/Secure/);
  });
});
