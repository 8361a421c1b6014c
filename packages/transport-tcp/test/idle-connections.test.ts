import { execFileSync } from "node:child_process";
import { closing, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { guarded } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createIdleLimit } from "../src/connection/idle-check.ts";
import { startFakeServer } from "./fake-server.ts";

const opened = closing(afterEach);

/** A program that closes all connections of clients to a Redis, and ends when that has happened. */
const killer = `
  const socket = require("node:net").connect(Number(process.argv[1]), "127.0.0.1");
  socket.write("CLIENT KILL TYPE normal SKIPME yes\\r\\n");
  socket.once("data", () => socket.destroy());`;

/** From here on time passes only where a test says so, be the machine as slow as it may. */
const stopTime = (): void => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
const pass = (ms: number): void => void vi.advanceTimersByTime(ms);
afterEach(() => void vi.useRealTimers());

describe("a connection that was idle and is closed by the other side", () => {
  it("at the moment of the next call counts no increment twice, and loses none that it has answered", async () => {
    const server = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: server.port }));
    proxy.set({ kind: "close-idle", afterMs: 60 });
    stopTime();
    const transport = opened(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}` }));
    let answered = 0;
    let unknown = 0;
    for (let call = 0; call < 60; call++) {
      pass(58 + (call % 5));
      try {
        await transport.send([["INCR", "n"]]);
        answered++;
      } catch (error) {
        // A command and the close can cross on the network. Then nothing tells whether it has run, and it is not
        // repeated.
        expect(error).toMatchObject({ kind: "unreachable", delivery: "unknown" });
        unknown++;
      }
    }
    expect(proxy.seen.connections).toBeGreaterThan(1);
    const counted = Number(await server.command("GET", "n"));
    expect([counted >= answered, counted <= answered + unknown]).toEqual([true, true]);
    // The first close teaches the limit.
    expect(unknown).toBeLessThanOrEqual(1);
  });

  it("while a command is on its way teaches how long the other side keeps idle connections", async () => {
    const answered = new Set<number>();
    const server = opened(
      await startFakeServer((command, connection, socket) => {
        if (command !== "INCR n") return command === "PING" ? "+PONG\r\n" : "-ERR unknown command\r\n";
        if (answered.has(connection)) socket.destroy();
        answered.add(connection);
        return ":1\r\n";
      }),
    );
    stopTime();
    const transport = opened(tcpTransport({ url: server.url }));
    const commandsOf = async (answer: () => Promise<unknown>): Promise<readonly string[]> => {
      const before = server.commands.length;
      await answer();
      return server.commands.slice(before);
    };
    const crossing = async (): Promise<void> => {
      pass(60);
      await expect(transport.send([["INCR", "n"]])).rejects.toMatchObject({ delivery: "unknown" });
    };
    await transport.send([["INCR", "n"]]);
    expect(await commandsOf(crossing)).toEqual(["INCR n"]);
    await transport.send([["INCR", "n"]]);
    // It asks before it trusts the connection.
    expect(await commandsOf(crossing)).toEqual(["PING", "INCR n"]);
  });

  it("while this process was busy or frozen is noticed before anything is written", async () => {
    const server = opened(await startRedisServer());
    stopTime();
    const transport = opened(guarded(tcpTransport({ url: server.url }), { retries: 0 }));
    for (let call = 1; call <= 5; call++) {
      expect(await transport.send([["INCR", "n"]])).toEqual([call]);
      // Nothing of this process runs until Redis has closed the connection, and for longer than a call trusts it.
      execFileSync(process.execPath, ["-e", killer, String(server.port)]);
      pass(80);
    }
  });

  it("gets what waited for its check onto the next connection", async () => {
    const server = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: server.port }));
    const transport = opened(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}` }));
    stopTime();
    await transport.send([["PING"]]);
    pass(60);
    const trips = Array.from({ length: 10 }, () => transport.send([["INCR", "n"]]));
    proxy.cut();
    expect(await Promise.all(trips)).toEqual(trips.map((_, at) => [at + 1]));
    expect(proxy.seen.connections).toBe(2);
  });
});

describe("the limit of idleness", () => {
  it("is half of what the other side allows, and 30 seconds as long as that is not known", () => {
    const limit = createIdleLimit();
    expect([29_999, 30_000].map(limit.isTrusted)).toEqual([true, false]);
    limit.closedAfter(20_000);
    limit.closedAfter(25_000);
    expect([9_999, 10_000].map(limit.isTrusted)).toEqual([true, false]);
  });

  it("is forgotten when a connection stands that was idle for much longer", () => {
    const limit = createIdleLimit();
    limit.closedAfter(100);
    limit.stoodAfter(140);
    expect(limit.isTrusted(60)).toBe(false);
    limit.stoodAfter(160);
    expect(limit.isTrusted(60)).toBe(true);
  });
});
