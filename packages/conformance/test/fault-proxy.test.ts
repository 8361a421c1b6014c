import { connect, type Socket } from "node:net";
import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

let server: RedisServer;
let proxy: FaultProxy;
let client: Socket;
let heard: Buffer[];
let ended: string | undefined;
const text = (): string => Buffer.concat(heard).toString("utf8");
const dial = (): void => {
  [heard, ended] = [[], undefined];
  const own = connect({ port: proxy.port, host: proxy.host });
  client = own;
  own.on("data", (chunk) => heard.push(chunk));
  // The events of an earlier connection may arrive late.
  own.on("error", (error: NodeJS.ErrnoException) => {
    if (client === own) ended = error.code;
  });
  own.on("close", () => {
    if (client === own) ended ??= "closed";
  });
};

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  proxy = await startFaultProxy({ port: server.port });
  dial();
});
afterEach(async () => {
  client.destroy();
  await proxy.close();
});

describe("startFaultProxy", () => {
  it("passes bytes both ways and counts", async () => {
    client.write("PING\r\n");
    await expect.poll(text).toBe("+PONG\r\n");
    expect(proxy.connections).toBe(1);
    expect(proxy.seen).toEqual({ connections: 1, requestChunks: 1 });
  });

  it("refuses", async () => {
    proxy.set({ kind: "refuse" });
    client.destroy();
    dial();
    await expect.poll(() => ended).toBe("closed");
  });

  it("swallows, and never gives back what it swallowed", async () => {
    proxy.set({ kind: "blackhole" });
    client.write("ECHO lost\r\n");
    await expect.poll(() => proxy.seen.requestChunks).toBe(1);
    proxy.set({ kind: "pass" });
    client.write("ECHO later\r\n");
    await expect.poll(() => proxy.seen.requestChunks).toBe(2);
    expect(text()).toBe("");
    expect(ended).toBeUndefined();
  });

  it("delays", async () => {
    proxy.set({ kind: "latency", latencyMs: 20 });
    const sentAt = performance.now();
    client.write("PING\r\n");
    await expect.poll(text).toBe("+PONG\r\n");
    expect(performance.now() - sentAt).toBeGreaterThanOrEqual(35);
  });

  it("cuts in the middle of an answer", async () => {
    proxy.set({ kind: "cut", afterBytes: 4 });
    client.write("PING\r\n");
    await expect.poll(() => ended).toBe("closed");
    expect(text()).toBe("+PON");
  });

  it("resets", async () => {
    proxy.set({ kind: "reset" });
    client.write("PING\r\n");
    await expect.poll(() => ended).toBe("ECONNRESET");
  });

  it("trickles", async () => {
    proxy.set({ kind: "trickle", chunkBytes: 1 });
    client.setNoDelay(true);
    client.write("ECHO hello\r\n");
    await expect.poll(text).toBe("$5\r\nhello\r\n");
    expect(heard.length).toBeGreaterThan(1);
  });

  it("trickles at a pace, and lets what is left through when that ends", async () => {
    proxy.set({ kind: "trickle", chunkBytes: 1, everyMs: 20 });
    client.setNoDelay(true);
    client.write("ECHO hello\r\n");
    await expect.poll(() => heard.length).toBeGreaterThan(1);
    const early = text();
    expect("$5\r\nhello\r\n".startsWith(early)).toBe(true);
    client.write("PING\r\n");
    proxy.set({ kind: "pass" });
    await expect.poll(text).toBe("$5\r\nhello\r\n+PONG\r\n");
  });

  it("resets in the middle of an answer", async () => {
    proxy.set({ kind: "cut", afterBytes: 4, reset: true });
    client.write("PING\r\n");
    await expect.poll(() => ended).toBe("ECONNRESET");
  });

  it("drops all connections, and takes new ones", async () => {
    await expect.poll(() => proxy.connections).toBe(1);
    proxy.cut();
    await expect.poll(() => ended).toBe("closed");
    dial();
    client.write("PING\r\n");
    await expect.poll(text).toBe("+PONG\r\n");
  });

  it("closes connections on which nothing has come back for so long", async () => {
    proxy.set({ kind: "close-idle", afterMs: 50 });
    client.write("PING\r\n");
    await expect.poll(text).toBe("+PONG\r\n");
    await expect.poll(() => proxy.connections).toBe(0);
  });

  it("leads new connections to another server, and leaves those that stand where they are", async () => {
    const other = await startRedisServer();
    await other.command("SET", "name", "other");
    await server.command("SET", "name", "first");
    client.write("GET name\r\n");
    await expect.poll(text).toBe("$5\r\nfirst\r\n");
    proxy.moveTo(other.port);
    client.write("GET name\r\n");
    await expect.poll(text).toBe("$5\r\nfirst\r\n$5\r\nfirst\r\n");
    client.destroy();
    dial();
    client.write("GET name\r\n");
    await expect.poll(text).toBe("$5\r\nother\r\n");
    proxy.moveTo(server.port);
    await other.close();
  });

  it("closes twice", async () => {
    await proxy.close();
    await proxy.close();
    expect(proxy.connections).toBe(0);
  });
});
