import { expectRejection } from "@continuum-cache/conformance";
import { closing, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { type Clock, guarded, type TransportError } from "@continuum-cache/core";
import type { BreakerChange, BreakerOptions } from "@continuum-cache/core/kit";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterEach, describe, expect, it } from "vitest";

const opened = closing(afterEach);

/** A guarded transport on a real server behind a proxy; the breaker's clock is the test's, the rest is as it is. */
const guardedRedis = async (breaker: BreakerOptions = {}) => {
  const server = opened(await startRedisServer());
  const proxy = opened(await startFaultProxy({ port: server.port }));
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs };
  const changes: BreakerChange[] = [];
  const front = opened(
    guarded(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}`, timeout: "60s" }), {
      timeout: "60s",
      retries: 0,
      breaker: { clock, random: () => 0.5, ...breaker },
      onBreaker: (change) => changes.push(change),
    }),
  );
  const get = () => front.send([["GET", "a"]]);
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  /** Calls in vain until the breaker opens; tells how many calls that took. */
  const untilOpen = async (call: () => Promise<unknown> = get): Promise<number> => {
    for (let calls = 1; ; calls++) {
      await call().catch(() => {});
      if (changes.at(-1)?.state === "open") return calls;
      if (calls >= 100) throw new Error("The breaker does not open");
    }
  };
  return { server, proxy, front, changes, get, pass, untilOpen };
};

describe("a breaker before a real server", () => {
  it("sends one of fifty parallel gets when its wait is over, and all of the next fifty", async () => {
    const { server, proxy, changes, get, pass, untilOpen } = await guardedRedis();
    await get();
    proxy.set({ kind: "refuse" });
    proxy.cut();
    expect(await untilOpen()).toBe(5);
    proxy.set({ kind: "pass" });
    await server.resetStats();
    const connections = proxy.seen.connections;
    const refused = await Promise.allSettled(Array.from({ length: 50 }, get));
    for (const { status } of refused) expect(status).toBe("rejected");
    expect(proxy.seen.connections).toBe(connections);

    pass(250);
    const results = await Promise.allSettled(Array.from({ length: 50 }, get));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await server.commandStats()).get).toBe(1);
    for (const result of results.slice(1)) {
      expect(result).toMatchObject({ reason: { kind: "unreachable", delivery: "none" } });
    }
    expect(changes.map(({ state }) => state)).toEqual(["open", "half-open", "closed"]);

    expect(await Promise.all(Array.from({ length: 50 }, get))).toEqual(Array(50).fill([null]));
    expect((await server.commandStats()).get).toBe(51);
  });

  it("asks a server that is away once a wait, and waits longer each time", async () => {
    const { proxy, get, pass, untilOpen } = await guardedRedis();
    proxy.set({ kind: "refuse" });
    await untilOpen();
    for (const waitMs of [250, 500, 1_000]) {
      const before = proxy.seen.connections;
      pass(waitMs - 1);
      await Promise.allSettled(Array.from({ length: 50 }, get));
      expect(proxy.seen.connections).toBe(before);
      pass(1);
      await Promise.allSettled(Array.from({ length: 50 }, get));
      expect(proxy.seen.connections).toBe(before + 1);
    }
  });

  it("spares everybody else the timeout that five have suffered, while the server is frozen", async () => {
    const { server, proxy, front, get, changes, pass, untilOpen } = await guardedRedis();
    await get();
    server.freeze();
    try {
      await untilOpen(() => front.send([["GET", "a"]], { timeoutMs: 100 }));
      expect(changes.at(-1)).toMatchObject({ state: "open", cause: { kind: "timeout" } });
      const { requestChunks } = proxy.seen;
      for (let call = 0; call < 50; call++) await expectRejection(get(), "timeout");
      expect(proxy.seen.requestChunks).toBe(requestChunks);
    } finally {
      server.thaw();
    }
    pass(250);
    expect(await get()).toEqual([null]);
  });

  it("says at once, and in every call, that the password is wrong", async () => {
    const server = opened(await startRedisServer({ password: "right" }));
    const changes: BreakerChange[] = [];
    const transport = tcpTransport({ url: `redis://:wrong-secret@127.0.0.1:${server.port}` });
    const front = opened(
      guarded(transport, { breaker: { wait: "1h", maxWait: "1h" }, onBreaker: (c) => changes.push(c) }),
    );
    for (let call = 0; call < 3; call++) {
      const error: TransportError = await expectRejection(front.send([["GET", "a"]]), "unauthorized");
      expect(error.message).not.toContain("wrong-secret");
      if (call > 0) expect(error.message).toMatch(/^Not sent, the circuit breaker is open: unauthorized.*password/);
    }
    expect(changes).toMatchObject([{ state: "open", cause: { kind: "unauthorized" } }]);
  });

  it("does not count what Redis says no to", async () => {
    const { front, changes, server } = await guardedRedis({ failures: 1 });
    await front.send([["SET", "a", "text"]]);
    for (let call = 0; call < 30; call++) await front.send([["LPUSH", "a", "x"]]);
    expect(changes).toEqual([]);
    expect((await server.commandStats()).lpush).toBe(30);
  });

  it("stays closed when one connection breaks under many reads, which are all repeated", async () => {
    const server = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: server.port }));
    const changes: BreakerChange[] = [];
    const front = opened(
      guarded(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}` }), {
        onBreaker: (change) => changes.push(change),
      }),
    );
    await front.send([["SET", "a", "1"]]);
    proxy.set({ kind: "blackhole" });
    const chunks = proxy.seen.requestChunks;
    const reads = Array.from({ length: 50 }, () => front.send([["GET", "a"]]));
    await expect.poll(() => proxy.seen.requestChunks).toBeGreaterThan(chunks);
    proxy.set({ kind: "pass" });
    proxy.cut();
    expect(await Promise.all(reads)).toEqual(Array(50).fill(["1"]));
    expect(changes).toEqual([]);
  });
});
