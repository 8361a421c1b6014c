import { expectRejection } from "@continuum-cache/conformance";
import { closing, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, guarded, type TransportError } from "@continuum-cache/core";
import { type TcpOptions, tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { createFailoverReconnect } from "../src/connection/failover-reconnect.ts";

const opened = closing(afterEach);

/** An address that leads to one server, and what makes it lead to another while the first becomes its replica. */
async function twoServers() {
  const [old, next] = [opened(await startRedisServer()), opened(await startRedisServer())];
  const address = opened(await startFaultProxy({ port: old.port }));
  return {
    old,
    next,
    address,
    url: `redis://127.0.0.1:${address.port}`,
    async failOver() {
      address.moveTo(next.port);
      await old.command("REPLICAOF", "127.0.0.1", next.port);
    },
  };
}
const open = (options: TcpOptions) => opened(tcpTransport(options));

describe("a failover behind one address", () => {
  it.each([
    ["a command", [["SET", "a", 1]], false],
    [
      "a command among reads",
      [
        ["GET", "b"],
        ["SET", "a", 1],
        ["GET", "b"],
      ],
      false,
    ],
    ["a transaction", [["SET", "a", 1]], true],
    ["a script", [["EVAL", "return redis.call('SET', KEYS[1], 1)", 1, "a"]], false],
  ] as const)(
    "is noticed by %s that the old primary refuses: the next call reaches the new one",
    async (_, commands, atomic) => {
      const { next, url, failOver, address } = await twoServers();
      const transport = open({ url });
      await transport.send([["SET", "a", 0]]);
      await failOver();
      const error = await expectRejection(transport.send(commands, { atomic }), "unreachable");
      expect(error.message).toMatch(/READONLY/);
      await transport.send(commands, { atomic });
      expect(await next.command("GET", "a")).toBe("1");
      expect(address.seen.connections).toBe(2);
    },
  );

  it("completes calls in flight, and sends new ones to the new primary, in order", async () => {
    const { old, next, url, failOver } = await twoServers();
    const transport = open({ url, poolSize: 1 });
    await transport.send([["SET", "big", "x".repeat(500_000)]]);
    await failOver();
    await expect.poll(() => old.command("INFO", "replication")).toMatch(/role:slave/);
    const refused = expectRejection(transport.send([["SET", "a", 1]]), "unreachable");
    const reads = [transport.send([["ECHO", "one"]]), transport.send([["ECHO", "two"]])];
    await refused;
    const later = [transport.send([["APPEND", "l", "1"]]), transport.send([["APPEND", "l", "2"]])];
    expect(await Promise.all(reads)).toEqual([["one"], ["two"]]);
    expect(await Promise.all(later)).toEqual([[1], [2]]);
    expect(await next.command("GET", "l")).toBe("12");
  });

  it("costs a guarded cache a short delay and no failed call", async () => {
    const { next, url, failOver } = await twoServers();
    const cache = new Cache({ transport: guarded(open({ url })) });
    await cache.set("before", 1);
    await failOver();
    for (let call = 0; call < 20; call++) await cache.increment("n");
    expect(await next.command("GET", "n")).toBe("20");
  });

  it("interrupts subscriptions once the new primary takes writes, so that they are made again there", async () => {
    const { url, failOver } = await twoServers();
    const transport = open({ url });
    const interruptions: TransportError[] = [];
    await transport.subscribe({ channels: ["c"] }, { message() {}, interrupted: (error) => interruptions.push(error) });
    await transport.send([["SET", "a", 1]]);
    await failOver();
    await expectRejection(transport.send([["SET", "a", 1]]), "unreachable");
    expect(interruptions).toEqual([]);
    await transport.send([["SET", "a", 1]]);
    expect(interruptions).toMatchObject([{ kind: "unreachable", message: expect.stringMatching(/failover/) }]);
    await transport.send([["SET", "a", 1]]);
    expect(interruptions).toHaveLength(1);
  });

  it("is detected on a caller's client that reconnects by itself", async () => {
    const { next, url, failOver } = await twoServers();
    const client = new Redis(url, { retryStrategy: () => 10 });
    client.on("error", () => {});
    opened({ close: async () => client.disconnect() });
    const transport = open({ client });
    await transport.send([["SET", "a", 0]]);
    await failOver();
    await expectRejection(transport.send([["SET", "a", 1]]), "unreachable");
    expect(await transport.send([["SET", "a", 1]])).toEqual(["OK"]);
    expect(await next.command("GET", "a")).toBe("1");
  });

  it("does not end a caller's client that would stay ended", async () => {
    const { url, failOver } = await twoServers();
    const client = new Redis(url, { retryStrategy: () => null });
    opened({ close: async () => client.disconnect() });
    const transport = open({ client });
    await transport.send([["SET", "a", 0]]);
    await failOver();
    for (let call = 0; call < 3; call++) await expectRejection(transport.send([["SET", "a", 1]]), "unreachable");
    expect(await transport.send([["PING"]])).toEqual(["PONG"]);
  });

  it("that never ends, as with a replica, reconnects less and less often, and reads go on", async () => {
    const [primary, replica] = [opened(await startRedisServer()), opened(await startRedisServer())];
    const address = opened(await startFaultProxy({ port: replica.port }));
    await replica.command("REPLICAOF", "127.0.0.1", primary.port);
    const transport = open({ url: `redis://127.0.0.1:${address.port}` });
    for (let call = 0; call < 100; call++) {
      await expectRejection(transport.send([["SET", "a", 1]]), "unreachable");
      expect(await transport.send([["ECHO", call]])).toEqual([String(call)]);
    }
    expect(address.seen.connections).toBeLessThan(12);
  });

  it.each(["LOADING Redis is loading", "MASTERDOWN Link with MASTER is down"])(
    "is found after %s too",
    async (text) => {
      const { startFakeServer } = await import("./fake-server.ts");
      const server = opened(
        await startFakeServer((_, connection) => (connection === 1 ? `-${text}\r\n` : "$1\r\nx\r\n")),
      );
      const transport = open({ url: server.url });
      await expectRejection(transport.send([["GET", "a"]]), "unreachable");
      expect(await transport.send([["GET", "a"]])).toEqual(["x"]);
    },
  );
});

describe("reconnection", () => {
  const held = () => {
    let [nowMs, reconnected, recovered] = [0, 0, 0];
    const reconnection = createFailoverReconnect({
      reconnect: () => void reconnected++,
      onRecovered: () => void recovered++,
      now: () => nowMs,
    });
    return {
      reconnection,
      counts: () => ({ reconnected, recovered }),
      to: (ms: number) => {
        nowMs = ms;
      },
    };
  };

  it("happens at the first refusal, then ever more rarely, and at once again after a long time", () => {
    const { reconnection, counts, to } = held();
    const reconnectedAt: number[] = [];
    for (let ms = 1; ms < 30_000; ms += 10) {
      to(ms);
      const before = counts().reconnected;
      reconnection.refused(ms);
      if (counts().reconnected > before) reconnectedAt.push(ms);
    }
    expect(reconnectedAt.slice(0, 5)).toEqual([1, 101, 301, 701, 1_501]);
    expect(reconnectedAt.length).toBeLessThan(13);
    to(100_000);
    reconnection.refused(100_000);
    expect(counts().reconnected).toBe(reconnectedAt.length + 1);
  });

  it("takes no notice of connections that were given up already, neither of refusals nor of successes", () => {
    const { reconnection, counts, to } = held();
    to(1_000);
    reconnection.refused(0);
    to(2_000);
    reconnection.refused(0);
    reconnection.accepted(0);
    expect(counts()).toEqual({ reconnected: 1, recovered: 0 });
    expect(reconnection.isPending).toBe(true);
    reconnection.accepted(1_500);
    reconnection.accepted(1_500);
    expect(counts()).toEqual({ reconnected: 1, recovered: 1 });
  });
});
