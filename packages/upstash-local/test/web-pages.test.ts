import { startUpstashLocal, type UpstashLocal, type UpstashLocalOptions } from "@continuum-cache/upstash-local";
import { afterEach, describe, expect, it } from "vitest";
import { openStream } from "./event-stream.ts";
import { send } from "./raw-http.ts";

let server: UpstashLocal | undefined;
afterEach(() => server?.close());

async function start(options: UpstashLocalOptions = {}) {
  server = await startUpstashLocal({ port: 0, token: "local", ...options });
  const { url, port } = server;
  /** The status of a request with these headers, and whether its page may read the answer. */
  const ask = async (headers: Record<string, string>, path = "/set/touched/1?_token=local") => {
    const answer = await send(url, path, { token: undefined, headers });
    return [answer.status, answer.headers["access-control-allow-origin"]];
  };
  const touched = async () => (await send(url, "/exists/touched")).json;
  return { url, port, ask, touched };
}

describe("a web page that a developer visits", () => {
  it.each<[string, Record<string, string>]>([
    ["fetch", { origin: "https://evil.example" }],
    ["fetch from a page of this machine", { origin: "http://localhost:3000" }],
    ["a sandboxed frame", { origin: "null" }],
    ["an image", { referer: "https://evil.example/", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
    ["an image without a referrer", { "sec-fetch-site": "cross-site" }],
    ["an image of another port", { "sec-fetch-site": "same-site", referer: "http://127.0.0.1:3000/" }],
    ["an image in an old browser", { referer: "https://evil.example/" }],
    ["a referrer that is no address", { referer: "evil" }],
    ["a link that is followed", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }],
    ["a name of its own that leads here", { host: "evil.example:8079" }],
    ["such a name like a local one", { host: "127.0.0.1.evil.example" }],
    ["such a name like localhost", { host: "localhost.evil.example", "sec-fetch-site": "same-origin" }],
  ])("can't send a command by %s, though it knows the token", async (_, headers) => {
    const { url, ask, touched } = await start();
    expect(await ask(headers)).toEqual([403, undefined]);
    expect(await ask(headers, "/")).toEqual([403, undefined]);
    expect(await ask({ ...headers, authorization: "Bearer local" }, "/flushall")).toEqual([403, undefined]);
    expect(await touched()).toEqual({ result: 0 });
    const stream = await openStream(url, "/subscribe/c", { headers });
    expect(stream.status).toBe(403);
  });

  it("gets no answer to a preflight that lets it go on", async () => {
    const { url } = await start();
    const headers = { origin: "https://evil.example", "access-control-request-method": "POST" };
    const preflight = await send(url, "/pipeline", { method: "OPTIONS", token: undefined, headers });
    expect(preflight.status).toBe(403);
    expect(Object.keys(preflight.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

it("a program, an address that was typed, and every name of this machine are welcome", async () => {
  const { ask, port } = await start();
  for (const host of [
    `127.0.0.1:${port}`,
    "localhost",
    "LOCALHOST:80",
    "app.localhost",
    "[::1]:8079",
    "10.0.0.7",
    "redis-proxy:8079",
  ]) {
    expect(await ask({ host }), host).toEqual([200, undefined]);
  }
  expect(await ask({ "sec-fetch-site": "none", "sec-fetch-mode": "navigate" })).toEqual([200, undefined]);
  expect(await ask({ "sec-fetch-mode": "cors" })).toEqual([200, undefined]);
});

it("a refusal names the option that would allow it", async () => {
  const { url } = await start();
  const page = await send(url, "/ping", { headers: { origin: "https://app.example" } });
  expect(page.json).toEqual({ error: expect.stringMatching(/https:\/\/app\.example.*--cors/) });
  const name = await send(url, "/ping", { headers: { host: "redis.internal:8079" } });
  expect(name.json).toEqual({ error: expect.stringMatching(/"redis\.internal".*--allow-host/) });
});

it("a name that is allowed is welcome, and so is the one that is listened on", async () => {
  const { ask } = await start({ allowedHosts: ["Redis.internal"], host: "localhost" });
  expect(await ask({ host: "redis.INTERNAL:8079" })).toEqual([200, undefined]);
  expect(await ask({ host: "other.internal" })).toEqual([403, undefined]);
});

describe("a page whose origin is allowed", () => {
  const origin = "https://app.example";

  it("may send requests and read the answers, the sync token included; others may not", async () => {
    const { url, ask } = await start({ cors: [origin, "http://localhost:3000"] });
    expect(await ask({ origin, "sec-fetch-site": "cross-site" })).toEqual([200, origin]);
    expect(await ask({ referer: `${origin}/page`, "sec-fetch-site": "cross-site" })).toEqual([200, undefined]);
    expect(await ask({ origin: "https://evil.example" })).toEqual([403, undefined]);
    expect(await ask({ origin: "https://app.example.evil.example" })).toEqual([403, undefined]);
    for (const token of ["local", "wrong"]) {
      const answer = await send(url, "/ping", { token, headers: { origin } });
      expect(answer.headers).toMatchObject({ "access-control-allow-origin": origin, vary: "origin" });
      expect(answer.headers["access-control-expose-headers"]).toContain("upstash-sync-token");
    }
    const stream = await openStream(url, "/subscribe/c", { headers: { origin } });
    expect([stream.status, stream.headers["access-control-allow-origin"]]).toEqual([200, origin]);
    stream.abort();
  });

  it("gets its preflight answered", async () => {
    const { url } = await start({ cors: [origin] });
    const headers = {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,upstash-encoding,upstash-sync-token",
    };
    const preflight = await send(url, "/pipeline", { method: "OPTIONS", token: undefined, headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe(origin);
    expect(preflight.headers["access-control-allow-methods"]).toBe("GET, HEAD, POST, PUT");
    for (const name of [
      "authorization",
      "content-type",
      "cache-control",
      "upstash-encoding",
      "upstash-response-format",
      "upstash-sync-token",
      "upstash-telemetry-runtime",
      "upstash-telemetry-platform",
      "upstash-telemetry-sdk",
      "upstash-telemetry-retry",
    ]) {
      expect(preflight.headers["access-control-allow-headers"]?.split(", ")).toContain(name);
    }
  });

  it("is any page when all are allowed", async () => {
    const { ask } = await start({ cors: ["*"] });
    expect(await ask({ origin: "https://any.example" })).toEqual([200, "*"]);
    expect(await ask({ "sec-fetch-site": "cross-site" })).toEqual([200, undefined]);
    expect(await ask({ host: "evil.example" })).toEqual([403, undefined]);
  });
});
