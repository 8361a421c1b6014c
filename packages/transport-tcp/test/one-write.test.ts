import { expectRejection } from "@continuum-cache/conformance";
import { closing, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Command } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";

const opened = closing(afterEach);

describe("a tick is one write", () => {
  it("sends 100 concurrent trips in one chunk, on a connection that stands and on one that is being made", async () => {
    const server = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: server.port }));
    const transport = opened(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}` }));
    for (let round = 1; round <= 3; round++) {
      const trips = Array.from({ length: 100 }, (_, index) =>
        transport.send([["ECHO", index]], { atomic: index % 10 === 0 }),
      );
      expect(await Promise.all(trips)).toEqual(trips.map((_, index) => [String(index)]));
      expect(proxy.seen.requestChunks).toBe(round);
    }
    expect(proxy.seen.connections).toBe(1);
  });

  it("asks the server for nothing but what it was told to send", async () => {
    const server = opened(await startRedisServer());
    await server.resetStats();
    const transport = opened(tcpTransport({ url: server.url }));
    await transport.send([
      ["SET", "a", 1],
      ["GET", "a"],
    ]);
    const { info, ping, ...stats } = await server.commandStats();
    expect(stats).toEqual({ get: 1, set: 1, "config|resetstat": 1 });
  });
});

describe("transport.client", () => {
  it("is a whole ioredis client, before the first trip and beside it", async () => {
    const server = opened(await startRedisServer());
    const transport = opened(tcpTransport({ url: server.url }));
    const added = transport.client.zadd("z", "1", "one");
    const [sent] = await Promise.all([transport.send([["SET", "a", 1]]), added]);
    expect(sent).toEqual(["OK"]);
    expect(await transport.client.zrange("z", "0", "-1")).toEqual(["one"]);
    expect(transport.client.status).toBe("ready");
  });

  it("may be the caller's own, which stays open", async () => {
    const server = opened(await startRedisServer());
    const client = new Redis(server.url);
    const transport = tcpTransport({ client });
    expect(transport.client).toBe(client);
    expect(
      await transport.send([
        ["SET", "a", "1"],
        ["HSET", "h", "f", "v"],
        ["HGETALL", "h"],
      ]),
    ).toEqual(["OK", 1, ["f", "v"]]);
    await transport.close();
    expect(await client.get("a")).toBe("1");
    client.disconnect();
    const late = opened(tcpTransport({ client }));
    expect((await expectRejection(late.send([["PING"]]), "unreachable")).delivery).toBe("none");
  });
});

describe("commands that need a connection of their own", () => {
  it.each<[string, ...Command]>([
    ...["SELECT", "subscribe", "MULTI", "WATCH", "QUIT", "BLPOP", "MONITOR"].map((name): [string, ...Command] => [
      name.toUpperCase(),
      ...([name, "x", 1] as const),
    ]),
    ["CLIENT REPLY", "CLIENT", "REPLY", "SKIP"],
    ["CLIENT REPLY", "client", "reply", "off"],
    ["CLIENT REPLY", "CLIENT", new TextEncoder().encode("Reply"), "OFF"],
    ["CLIENT TRACKING", "CLIENT", "TRACKING", "ON"],
    ["CLIENT CACHING", "CLIENT", "CACHING", "YES"],
  ])("%s is refused before anything is sent", async (name, ...command) => {
    const server = opened(await startRedisServer());
    const transport = opened(tcpTransport({ url: server.url }));
    const error = await expectRejection(transport.send([["SET", "a", 1], command]), "protocol");
    expect(error.delivery).toBe("none");
    expect(error.message).toContain(`${name} needs a connection of its own`);
    expect(await server.command("EXISTS", "a")).toBe(0);
  });

  it("other commands of CLIENT travel as ever", async () => {
    const server = opened(await startRedisServer());
    const transport = opened(tcpTransport({ url: server.url }));
    expect(await transport.send([["CLIENT", "ID"], ["CLIENT", "GETNAME"], ["PING"]])).toEqual([
      expect.any(Number),
      null,
      "PONG",
    ]);
  });
});

describe("arguments that are none", () => {
  it.each([undefined, null, true, {}, ["x"]])(
    "%o is refused before anything is sent, and does not affect other calls",
    async (odd) => {
      const server = opened(await startRedisServer());
      const transport = opened(tcpTransport({ url: server.url }));
      const right = transport.send([["INCR", "n"]]);
      const wrong = transport.send([
        ["SET", "a", 1],
        ["SET", "b", odd as never],
      ]);
      await expect(wrong).rejects.toThrow(/arguments of SET to be strings, numbers or bytes, got/);
      expect(await right).toEqual([1]);
      expect(await transport.send([["EXISTS", "a"]])).toEqual([0]);
    },
  );
});
