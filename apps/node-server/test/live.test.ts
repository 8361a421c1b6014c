import { once } from "node:events";
import { createProgram, type Knowledge } from "@continuum-cache/program";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache } from "continuum-cache";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { listen } from "../src/listen.ts";
import { createLive } from "../src/live.ts";

const concept = { conceptId: "n00000001", partOfSpeech: "noun", lemmas: ["shepherd dog"], gloss: "a dog" };
const knowledge: Knowledge = {
  conceptCount: 1,
  termCount: 1,
  normalize: (text) => text,
  search: () => [{ ...concept, score: 1, relationCounts: {} }],
  memory: (id) => (id === concept.conceptId ? { ...concept, relations: [] } : undefined),
};

let local: UpstashLocal;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  local = await startUpstashLocal({ port: 0, token: "local" });
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
  await local.close();
});

/** The parts of a server process, without WordNet. */
async function startServer() {
  const cache = new UpstashCache({
    mode: "rest",
    restUrl: local.url,
    restToken: "local",
    timeout: "60s",
    retries: 0,
    healthCheckInterval: "100ms",
    env: {},
  });
  const live = createLive(cache, () => {});
  const { announcer } = live;
  const program = createProgram({ cache, knowledge, server: "Upstash", announcer, processes: 2, logError: () => {} });
  const server = await listen((request) => program.fetch(request), { port: 0, names: ["app.example"] }, live);
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= server
      .close()
      .then(() => live.close())
      .then(() => cache.close());
    return closing;
  };
  opened.push({ close });
  const get = async (path: string, cookie = "") => {
    const response = await fetch(server.url + path, { headers: { cookie } });
    const body = (await response.json()) as Record<string, unknown>;
    return { body, cookie: response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? cookie };
  };
  return { url: server.url, port: server.port, cache, get, close };
}

type Server = Awaited<ReturnType<typeof startServer>>;
type Frame = Record<string, unknown> & { readonly type: string; readonly data?: Record<string, unknown> };

/** The WebSocket of a window of the page. */
async function openWindow({ url }: Server, channels: readonly string[], cookie = "", after?: unknown) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, { headers: { origin: url, cookie } });
  const frames: Frame[] = [];
  socket.on("message", (text) => frames.push(JSON.parse(String(text))));
  const closed = once(socket, "close").then(([code]) => code as number);
  await once(socket, "open");
  const until = async (isThere: (frame: Frame) => boolean): Promise<Frame> => {
    for (const startMs = Date.now(); ; ) {
      const found = frames.find(isThere);
      if (found) return found;
      if (Date.now() - startMs > 60_000) throw new Error(`Gave up waiting, got ${JSON.stringify(frames)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  for (const channel of channels) {
    socket.send(JSON.stringify({ type: "subscribe", channel, after }));
    await until((frame) => frame["channel"] === channel && ["subscribed", "error"].includes(frame.type));
  }
  return { frames, until, closed, close: () => socket.terminate() };
}

const isEvent = (type: string) => (frame: Frame) => frame.data?.["type"] === type;

describe("live updates", () => {
  const shared = ["ws:memory:updates", "ws:session:events"];

  it("tell two windows at two servers what happens at either, without the words of a search", async () => {
    const [one, other] = [await startServer(), await startServer()];
    const windows = [await openWindow(one, shared), await openWindow(other, shared)];
    const { cookie } = await one.get("/api/session");
    await one.get("/api/search?q=secret+wish", cookie);
    // The server publishes what a search has found behind its answer.
    await windows[0]?.until(isEvent("memory_found"));
    await other.get("/api/memories/n00000001");
    for (const window of windows) {
      await window.until(isEvent("session_started"));
      await window.until(isEvent("session_updated"));
      expect(await window.until(isEvent("memory_found"))).toMatchObject({ data: { memory_id: "n00000001" } });
      const { data, position } = await window.until(isEvent("memory_updated"));
      expect(data).toMatchObject({ memory_id: "n00000001", title: "shepherd dog" });
      expect(Math.abs(Number(data?.["timestamp"]) - Date.now() / 1_000)).toBeLessThan(60);
      expect(position).toMatchObject({ seq: 1 });
      expect(JSON.stringify(window.frames)).not.toMatch(/secret/);
    }
  });

  it("tell a session its own searches in all its windows, and refuse other visitors", async () => {
    const [one, other] = [await startServer(), await startServer()];
    const { body, cookie } = await one.get("/api/session");
    const channel = String(body["channel"]);
    expect(channel).not.toContain(cookie.split("=")[1]);
    const mine = await openWindow(other, [channel], cookie);
    const stranger = await one.get("/api/session");
    for (const theirs of ["", stranger.cookie, "continuum_session=nonsense"]) {
      const window = await openWindow(one, [channel], theirs);
      expect(window.frames).toMatchObject([{ type: "error", code: "forbidden" }]);
    }
    const answer = await one.get("/api/search?q=river", cookie);
    const event = await mine.until(isEvent("search_remembered"));
    expect(event.data).toMatchObject({ query: "river", at: answer.body["at"] });
  });

  it("reach a window that was away when it comes back", async () => {
    const server = await startServer();
    const window = await openWindow(server, ["ws:memory:updates"]);
    await server.get("/api/memories/n00000001");
    const { position } = await window.until(isEvent("memory_updated"));
    window.close();
    await server.get("/api/memories/n00000001");
    const again = await openWindow(await startServer(), ["ws:memory:updates"], "", position);
    expect(await again.until(isEvent("memory_read"))).toMatchObject({ position: { seq: 1 } });
    expect(again.frames.filter(isEvent("memory_updated"))).toEqual([]);
  });

  it("go on within a server while the primary is away, marked, and everywhere when it is back", async () => {
    const [one, other] = [await startServer(), await startServer()];
    const [mine, theirs] = [await openWindow(one, shared), await openWindow(other, shared)];
    local.fault("refuse");
    await one.get("/api/memories/n00000001");
    expect(await mine.until(isEvent("memory_updated"))).toMatchObject({ degraded: true });
    expect(theirs.frames.filter(isEvent("memory_updated"))).toEqual([]);
    local.fault(undefined);
    for (const window of [mine, theirs]) {
      const live = async () => {
        await other.get("/api/memories/n00000001");
        return window.frames.some((frame) => frame.data && frame["degraded"] === undefined);
      };
      while (!(await live())) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  it("end with the server: it notifies the windows and closes at once", async () => {
    const server = await startServer();
    const window = await openWindow(server, shared);
    await server.close();
    expect(await window.closed).toBe(1001);
  });
});

describe("the upgrade to a WebSocket", () => {
  it("succeeds only for pages of this host, at its own path", async () => {
    const server = await startServer();
    const statusFor = async (path: string, headers: Record<string, string>) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers });
      socket.on("error", () => {});
      const status = await Promise.race([
        once(socket, "unexpected-response").then(([, response]) => response.statusCode as number),
        once(socket, "open").then(() => 101),
      ]);
      socket.terminate();
      return status;
    };
    const here = `http://127.0.0.1:${server.port}`;
    expect(await statusFor("/ws", { origin: here })).toBe(101);
    const named = { host: `localhost:${server.port}`, origin: `http://localhost:${server.port}` };
    expect(await statusFor("/ws", named)).toBe(101);
    expect(await statusFor("/ws", {})).toBe(403);
    // TLS may end at a proxy.
    expect(await statusFor("/ws", { host: "app.example", origin: "https://app.example" })).toBe(101);
    expect(await statusFor("/ws", { host: "app.example", origin: "https://other.example" })).toBe(403);
    expect(await statusFor("/ws", { origin: "null" })).toBe(403);
    expect(await statusFor("/ws", { origin: "https://evil.example" })).toBe(403);
    expect(await statusFor("/ws", { origin: "http://127.0.0.1:1" })).toBe(403);
    expect(await statusFor("/ws", { origin: "http://evil.example", host: "evil.example" })).toBe(421);
    expect(await statusFor("/elsewhere", { origin: here })).toBe(404);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });
});
