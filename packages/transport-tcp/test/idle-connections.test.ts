import { startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { guarded } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { describe, expect, it } from "vitest";
import { createIdleLimit } from "../src/idle-limit.ts";
import { startFakeServer } from "./fake-server.ts";
import { closing } from "./opened.ts";

const opened = closing();
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const block = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

describe("a connection that was idle and is closed by the other side", () => {
  it("at the moment of the next call counts no increment twice, and loses none that it has answered", async () => {
    const server = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: server.port }));
    proxy.set({ kind: "close-idle", afterMs: 60 });
    const transport = opened(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}` }));
    let answered = 0;
    let unknown = 0;
    let overslept = 0;
    for (let call = 0; call < 60; call++) {
      const sleptAt = performance.now();
      await sleep(58 + (call % 5));
      if (performance.now() - sleptAt > 80) overslept++;
      try {
        await transport.send([["INCR", "n"]]);
        answered++;
      } catch (error) {
        // A command and the close can cross on the network. Then nothing tells whether it has run, and it is not repeated.
        expect(error).toMatchObject({ kind: "unreachable", delivery: "unknown" });
        unknown++;
      }
    }
    expect(proxy.seen.connections).toBeGreaterThan(1);
    const counted = Number(await server.command("GET", "n"));
    expect([counted >= answered, counted <= answered + unknown]).toEqual([true, true]);
    // The first close teaches the limit. A connection that stood for much longer, as after a nap, unteaches it.
    expect(unknown).toBeLessThanOrEqual(1 + overslept);
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
    const transport = opened(tcpTransport({ url: server.url }));
    const commandsOf = async (answer: () => Promise<unknown>): Promise<readonly string[]> => {
      const before = server.commands.length;
      await answer();
      return server.commands.slice(before);
    };
    const crossing = async (): Promise<void> => {
      await sleep(60);
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
    const transport = opened(guarded(tcpTransport({ url: server.url }), { retries: 0 }));
    for (let call = 1; call <= 5; call++) {
      expect(await transport.send([["INCR", "n"]])).toEqual([call]);
      const killed = server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await killed;
      block(80);
    }
  });

  it("gets what waited for its check onto the next connection", async () => {
    const server = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: server.port }));
    const transport = opened(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}` }));
    await transport.send([["PING"]]);
    await sleep(60);
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
