import { expectRejection } from "@continuum-cache/conformance";
import {
  closing,
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import { isCommandError, type TransportError } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterEach, describe, expect, it } from "vitest";

const opened = closing(afterEach);
const behindProxy = async (): Promise<{ server: RedisServer; proxy: FaultProxy; url: string }> => {
  const server = opened(await startRedisServer());
  const proxy = opened(await startFaultProxy({ port: server.port }));
  return { server, proxy, url: `redis://127.0.0.1:${proxy.port}` };
};

describe("a server that goes away", () => {
  it("rejects at once, with nothing delivered, where no server listens", async () => {
    const server = opened(await startRedisServer());
    await server.kill();
    const transport = opened(tcpTransport({ url: server.url, timeout: "60s" }));
    const trips = Array.from({ length: 20 }, () => transport.send([["PING"]]));
    for (const trip of trips) {
      const error = await expectRejection(trip, "unreachable");
      expect(error.delivery).toBe("none");
      expect(error.message).toMatch(/Nothing listens at 127\.0\.0\.1:\d+ \(ECONNREFUSED\): start the server/);
    }
  });

  it("fails what is in flight when it is killed, and connects again with the next call", async () => {
    const server = opened(await startRedisServer());
    const transport = opened(tcpTransport({ url: server.url }));
    await transport.send([["PING"]]);
    server.freeze();
    const inFlight = [transport.send([["INCR", "a"]]), transport.send([["INCR", "b"]], { atomic: true })];
    const rejections = inFlight.map((trip) => expectRejection(trip, "unreachable"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await server.kill();
    for (const rejection of rejections) expect((await rejection).delivery).toBe("unknown");
    expect((await expectRejection(transport.send([["PING"]]), "unreachable")).delivery).toBe("none");
    await server.restart();
    expect(await transport.send([["PING"]])).toEqual(["PONG"]);
  });

  it("fails what is in flight when the connection is cut, and goes on", async () => {
    const { proxy, url } = await behindProxy();
    const transport = opened(tcpTransport({ url }));
    await transport.send([["PING"]]);
    proxy.set({ kind: "blackhole" });
    const { requestChunks } = proxy.seen;
    const trip = expectRejection(transport.send([["PING"]]), "unreachable");
    await expect.poll(() => proxy.seen.requestChunks).toBeGreaterThan(requestChunks);
    proxy.cut();
    proxy.set({ kind: "pass" });
    await trip;
    expect(await transport.send([["PING"]])).toEqual(["PONG"]);
    expect(proxy.seen.connections).toBe(2);
  });

  it("rejects when the connection is cut in the middle of a reply, whole replies before it included", async () => {
    const { proxy, url } = await behindProxy();
    const transport = opened(tcpTransport({ url }));
    await transport.send([["SET", "big", "x".repeat(100_000)]]);
    proxy.set({ kind: "cut", afterBytes: 50_000 });
    const error = await expectRejection(transport.send([["PING"], ["GET", "big"], ["PING"]]), "unreachable");
    expect(error.delivery).toBe("unknown");
    proxy.set({ kind: "pass" });
    expect(await transport.send([["STRLEN", "big"]])).toEqual([100_000]);
  });

  it("rejects when the connection is reset", async () => {
    const { proxy, url } = await behindProxy();
    const transport = opened(tcpTransport({ url }));
    proxy.set({ kind: "reset" });
    const error = await expectRejection(transport.send([["PING"]]), "unreachable");
    expect(error.message).toMatch(/use rediss:\/\//);
  });

  it("puts replies together that arrive byte by byte", async () => {
    const { proxy, url } = await behindProxy();
    const transport = opened(tcpTransport({ url }));
    proxy.set({ kind: "trickle", chunkBytes: 1 });
    const bytes = new Uint8Array([0xff, 0x0d, 0x0a]);
    const replies = await transport.send([
      ["SET", "a", "héllo 🧠\r\n"],
      ["GET", "a"],
      ["RPUSH", "l", "x", bytes],
      ["LRANGE", "l", 0, -1],
      ["LPUSH", "a", "x"],
      ["ECHO", "last"],
    ]);
    expect(isCommandError(replies[4])).toBe(true);
    expect([...replies.slice(0, 4), replies[5]]).toEqual(["OK", "héllo 🧠\r\n", 2, ["x", bytes], "last"]);
  });
});

describe("a server that is silent", () => {
  it("replaces a silent connection after about a second of calls that time out", async () => {
    const { proxy, url } = await behindProxy();
    const transport = opened(tcpTransport({ url }));
    await transport.send([["PING"]]);
    proxy.set({ kind: "blackhole" });
    for (let call = 0; call < 5; call++)
      await expectRejection(transport.send([["PING"]], { timeoutMs: 250 }), "timeout");
    proxy.set({ kind: "pass" });
    // The present connection is lost for ever: only a new one can answer.
    const answer = () => transport.send([["ECHO", "new"]], { timeoutMs: 2_000 }).catch(() => undefined);
    await expect.poll(answer).toEqual(["new"]);
  });

  it("gives it up after one long call, and others on it learn that it broke", async () => {
    const { proxy, url } = await behindProxy();
    const transport = opened(tcpTransport({ url }));
    await transport.send([["PING"]]);
    proxy.set({ kind: "blackhole" });
    const patient = expectRejection(transport.send([["PING"]], { timeoutMs: 60_000 }), "unreachable");
    await expectRejection(transport.send([["PING"]], { timeoutMs: 1_100 }), "timeout");
    expect((await patient).delivery).toBe("unknown");
  });

  it("keeps the connection when the server was only slow", async () => {
    const { proxy, url } = await behindProxy();
    const transport = opened(tcpTransport({ url }));
    await transport.send([["PING"]]);
    proxy.set({ kind: "latency", latencyMs: 60 });
    await expectRejection(transport.send([["ECHO", "late"]], { timeoutMs: 30 }), "timeout");
    expect(await transport.send([["ECHO", "in time"]])).toEqual(["in time"]);
    expect(proxy.seen.connections).toBe(1);
  });

  it("times out, with nothing delivered, while it accepts no password", async () => {
    const server = opened(await startRedisServer({ password: "pw" }));
    const transport = opened(tcpTransport({ url: server.url, timeout: "300ms" }));
    server.freeze();
    const error: TransportError = await expectRejection(transport.send([["INCR", "a"]], { timeoutMs: 50 }), "timeout");
    expect(error.delivery).toBe("none");
    expect(error.message).toContain("did not come about");
    // The attempt itself ends too, so that the next call makes a new one.
    expect((await expectRejection(transport.send([["INCR", "a"]], { timeoutMs: 5_000 }), "unreachable")).delivery).toBe(
      "none",
    );
    server.thaw();
    await expect.poll(() => transport.send([["PING"]]).catch(() => undefined)).toEqual(["PONG"]);
    expect(await transport.send([["INCR", "a"]], { timeoutMs: 60_000 })).toEqual([1]);
  });

  it("does not send what was aborted while it waited for the connection", async () => {
    const { server, proxy, url } = await behindProxy();
    const transport = opened(tcpTransport({ url }));
    proxy.set({ kind: "latency", latencyMs: 30 });
    const controller = new AbortController();
    const aborted = expectRejection(transport.send([["SET", "a", 1]], { signal: controller.signal }), "aborted");
    const other = transport.send([["PING"]]);
    controller.abort();
    expect((await aborted).delivery).toBe("none");
    expect(await other).toEqual(["PONG"]);
    expect(await server.command("EXISTS", "a")).toBe(0);
  });
});

describe("a server that is not ready", () => {
  it("rejects the trip when the server refuses everything, and says that nothing ran", async () => {
    const server = opened(await startRedisServer());
    await server.command("CONFIG", "SET", "replica-serve-stale-data", "no");
    await server.command("REPLICAOF", "127.0.0.1", "1");
    const transport = opened(tcpTransport({ url: server.url }));
    const error = await expectRejection(
      transport.send([
        ["GET", "a"],
        ["GET", "b"],
      ]),
      "unreachable",
    );
    expect(error.message).toMatch(/^MASTERDOWN/);
    expect(error.delivery).toBe("none");
    const atomic = await expectRejection(transport.send([["GET", "a"]], { atomic: true }), "unreachable");
    expect(atomic.message).toMatch(/^MASTERDOWN/);
  });

  it("does not claim that nothing ran when a part of the trip did", async () => {
    const server = opened(await startRedisServer());
    await server.command("REPLICAOF", "127.0.0.1", "1");
    const transport = opened(tcpTransport({ url: server.url }));
    const error = await expectRejection(
      transport.send([
        ["GET", "a"],
        ["SET", "a", 1],
      ]),
      "unreachable",
    );
    expect(error.message).toMatch(/^READONLY/);
    expect(error.delivery).toBe("unknown");
  });
});

describe("close", () => {
  it("gives back every connection, subscriptions included, and calls their listeners", async () => {
    const { proxy, url } = await behindProxy();
    const transport = tcpTransport({ url });
    const interruptions: unknown[] = [];
    await transport.send([["PING"]]);
    await transport.subscribe({ channels: ["c"] }, { message() {}, interrupted: (error) => interruptions.push(error) });
    expect(proxy.connections).toBe(2);
    await transport.close();
    await expect.poll(() => proxy.connections).toBe(0);
    expect(interruptions).toMatchObject([{ kind: "closed" }]);
    await expectRejection(transport.subscribe({ channels: ["c"] }, { message() {}, interrupted() {} }), "closed");
  });

  it("ends a connection that is only being made", async () => {
    const { proxy, url } = await behindProxy();
    const transport = tcpTransport({ url });
    const trip = expectRejection(transport.send([["PING"]]), "closed");
    await transport.close();
    expect((await trip).delivery).toBe("none");
    await expect.poll(() => proxy.connections).toBe(0);
  });
});
