import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

let server: RedisServer;
let proxy: FaultProxy;
const clients: Socket[] = [];

/** A connection through the proxy, and the bytes that it has received. */
function dial(): { readonly socket: Socket; text(): string } {
  const socket = connect({ port: proxy.port, host: proxy.host });
  let heard = "";
  socket.on("data", (chunk) => {
    heard += chunk;
  });
  socket.on("error", () => {}); // Some faults reset it.
  clients.push(socket);
  return { socket, text: () => heard };
}

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  await server.command("FLUSHALL");
  proxy = await startFaultProxy({ port: server.port });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
});

describe("a half-open link", () => {
  it("that loses replies lets requests take effect", async () => {
    proxy.set({ kind: "half-open", lost: "replies" });
    const { socket, text } = dial();
    socket.write("SET key value\r\n");
    await expect.poll(() => server.command("GET", "key")).toBe("value");
    // The effect may be visible before the reply has reached the proxy.
    await sleep(100);
    proxy.set({ kind: "pass" });
    socket.write("SET key later\r\n");
    await expect.poll(() => server.command("GET", "key")).toBe("later");
    expect(text()).toBe("");
  });

  it("that loses requests still brings the replies to earlier ones", async () => {
    const { socket, text } = dial();
    socket.write("BLPOP list 0\r\n");
    await expect.poll(() => proxy.seen.requestChunks).toBe(1);
    proxy.set({ kind: "half-open", lost: "requests" });
    socket.write("SET key value\r\n");
    await expect.poll(() => proxy.seen.requestChunks).toBe(2);
    await server.command("RPUSH", "list", "item");
    await expect.poll(text).toContain("item");
    expect(await server.command("EXISTS", "key")).toBe(0);
  });

  it("does not tell the server that its client has hung up, until it is over", async () => {
    const connected = async () => /connected_clients:(\d+)/.exec(String(await server.command("INFO", "clients")))?.[1];
    const { socket, text } = dial();
    socket.write("PING\r\n");
    await expect.poll(text).toBe("+PONG\r\n");
    proxy.set({ kind: "half-open", lost: "requests" });
    socket.destroy();
    await expect.poll(() => socket.closed).toBe(true);
    // One is the command's own connection.
    expect(await connected()).toBe("2");
    proxy.set({ kind: "pass" });
    await expect.poll(connected).toBe("1");
  });
});

describe("a link", () => {
  it("shows requests before they pass: a fault that is set then meets them", async () => {
    const { socket } = dial();
    const seen: string[] = [];
    const stop = proxy.onRequest((chunk) => {
      seen.push(Buffer.from(chunk).toString());
      proxy.set({ kind: "blackhole" });
    });
    socket.write("SET key value\r\n");
    await expect.poll(() => seen).toEqual(["SET key value\r\n"]);
    stop();
    proxy.set({ kind: "pass" });
    const other = dial();
    other.socket.write("GET key\r\n");
    await expect.poll(other.text).toBe("$-1\r\n");
    expect(seen).toHaveLength(1);
  });

  it("never lets bytes overtake each other when it stops being slow", async () => {
    proxy.set({ kind: "latency", latencyMs: 60_000 });
    const { socket, text } = dial();
    socket.write("SET key first\r\n");
    await expect.poll(() => proxy.seen.requestChunks).toBe(1);
    proxy.set({ kind: "pass" });
    socket.write("SET key second\r\n");
    await expect.poll(text).toBe("+OK\r\n+OK\r\n");
    expect(await server.command("GET", "key")).toBe("second");
  });
});
