import { setTimeout as sleep } from "node:timers/promises";
import { describeSubscription, describeTransport } from "@continuum-cache/conformance";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import type { BackendChange, Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.close());

const open = (): Transport =>
  withFallback(tcpTransport({ url: server.url }), memoryTransport(), { healthCheckInterval: "50ms" });

const runner = { describe, it, afterAll };
describeTransport("fallback over tcp", open, runner);
describeSubscription("fallback over tcp", open, { ...runner, growing: true });

describe("a redis-server that is", () => {
  let transport: Transport;
  let changes: BackendChange[];
  beforeEach(() => {
    transport = open();
    changes = [];
    transport.status?.onChange((change) => changes.push(change));
  });
  afterEach(() => transport.close());

  const until = async (condition: () => boolean): Promise<void> => {
    for (const start = Date.now(); !condition(); await sleep(10)) {
      if (Date.now() - start > 60_000) throw new Error("Gave up waiting");
    }
  };
  const isLocal = () => transport.status?.currentBackend === "local";

  it("killed: every call is answered, and calls go to it again when it is back", async () => {
    await transport.send([["SET", "a", "redis"]]);
    await server.kill();
    const replies = await Promise.all(Array.from({ length: 20 }, () => transport.send([["INCR", "n"]])));
    expect(replies.flat().sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    expect(isLocal()).toBe(true);
    expect(transport.status?.pending).toBe(20);
    await expect(transport.send([["GET", "n"]], { fallback: false })).rejects.toMatchObject({ name: "TransportError" });
    await server.restart();
    // An idle process finds out by itself.
    await until(() => !isLocal());
    expect(await transport.send([["GET", "n"]])).toEqual(["20"]);
    expect(changes.map(({ from, to }) => [from, to])).toEqual([
      ["upstash", "local"],
      ["local", "upstash"],
    ]);
    expect(changes[1]?.recovery).toEqual({ replayed: 20, superseded: 0, dropped: 0 });
  });

  it("frozen: a call is answered locally at its deadline, the next at once", async () => {
    await transport.send([["PING"]]);
    server.freeze();
    try {
      expect(await transport.send([["SET", "a", "1"]], { timeoutMs: 100 })).toEqual(["OK"]);
      expect(isLocal()).toBe(true);
      expect(await transport.send([["GET", "a"]], { timeoutMs: 100 })).toEqual(["1"]);
    } finally {
      server.thaw();
    }
    await until(() => !isLocal());
  });

  it("busy with a script: calls are answered locally, and replayed when the script has ended", async () => {
    await transport.send([["SET", "a", "redis"]]);
    await server.command("CONFIG", "SET", "lua-time-limit", "20");
    // Who connects now finds it busy.
    const spare = tcpTransport({ url: server.url });
    await spare.send([["PING"]]);
    const endless = server.command("EVAL", "while true do end", "0").catch((error: unknown) => error);
    while (!isLocal()) await transport.send([["GET", "a"]]);
    expect(await transport.send([["SET", "a", "local"]])).toEqual(["OK"]);
    expect(await transport.send([["GET", "a"]])).toEqual(["local"]);
    await spare.send([["SCRIPT", "KILL"]]);
    await endless;
    await spare.close();
    await until(() => !isLocal());
    expect(await server.command("GET", "a")).toBe("local");
  });

  it("protected by a password: calls go local with a failure event, which holds no password", async () => {
    const locked = await startRedisServer({ password: "s3cret-of-the-server" });
    const wrong = withFallback(
      tcpTransport({ url: locked.url.replace("s3cret-of-the-server", "wrong-canary") }),
      memoryTransport(),
    );
    wrong.status?.onChange((change) => changes.push(change));
    expect(await wrong.send([["SET", "a", "1"]])).toEqual(["OK"]);
    expect(changes).toHaveLength(1);
    expect(changes[0]?.reason).toMatch(/^unauthorized: /);
    expect(JSON.stringify(changes)).not.toMatch(/canary|s3cret/);
    await wrong.close();
    await locked.close();
  });
});
