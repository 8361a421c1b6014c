import { expectRejection } from "@continuum-cache/conformance";
import {
  closing,
  type Fault,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import type { Message, Topics, TransportError } from "@continuum-cache/core";
import { type TcpOptions, tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it, vi } from "vitest";

const opened = closing(afterEach);

async function listening(url: string, topics: Topics, options: Partial<TcpOptions> = {}) {
  const transport = opened(tcpTransport({ url, ...options }));
  const heard: string[] = [];
  const interruptions: TransportError[] = [];
  const subscription = await transport.subscribe(topics, {
    message: ({ channel, pattern }: Message) =>
      void heard.push(pattern === undefined ? channel : `${pattern} ${channel}`),
    interrupted: (error) => void interruptions.push(error),
  });
  const { add, remove } = subscription;
  if (!add || !remove) throw new Error("Expected a subscription over TCP to have add and remove");
  return { transport, subscription, add, remove, heard, interruptions };
}

async function behindProxy(topics: Topics, options?: Partial<TcpOptions>) {
  const server = opened(await startRedisServer());
  const proxy = opened(await startFaultProxy({ port: server.port }));
  return { server, proxy, ...(await listening(`redis://127.0.0.1:${proxy.port}`, topics, options)) };
}

const numberOfSubscribers = async (server: RedisServer, channel: string): Promise<unknown> =>
  ((await server.command("PUBSUB", "NUMSUB", channel)) as unknown[])[1];

describe("a subscription over TCP", () => {
  it.each<[string, Fault]>([
    ["nothing listens", { kind: "refuse" }],
    ["the connection ends before the confirmation", { kind: "cut", afterBytes: 0 }],
  ])("that can't be made since %s leaves no timer", async (_, fault) => {
    const server = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: server.port }));
    proxy.set(fault);
    if (fault.kind === "refuse") await proxy.close();
    const transport = opened(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}`, timeout: "150s" }));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const call = transport.subscribe({ channels: ["a"] }, { message() {}, interrupted() {} });
      await expect(call).rejects.toMatchObject({ kind: "unreachable" });
      await new Promise((resolve) => setImmediate(resolve));
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("grows and shrinks on the one connection it has", async () => {
    const { server, proxy, add, remove, heard } = await behindProxy({ channels: ["a"] });
    await add({ channels: ["b", "c"], patterns: ["p:*"] });
    await remove({ channels: ["a", "b"] });
    await add({ channels: ["b"] });
    for (const channel of ["a", "b", "c", "p:1"]) await server.command("PUBLISH", channel, "x");
    await expect.poll(() => heard).toEqual(["b", "c", "p:* p:1"]);
    expect(proxy.seen.connections).toBe(1);
  });

  it("goes on unchanged when add had no answer in time, and ignores the late answer", async () => {
    const { server, add, heard, interruptions } = await behindProxy({ channels: ["a"] });
    server.freeze();
    const error = await expectRejection(
      add({ channels: ["a", "late"], patterns: ["l*"] }, { timeoutMs: 50 }),
      "timeout",
    );
    expect(error.delivery).toBe("unknown");
    const abort = new AbortController();
    const aborted = expectRejection(add({ channels: ["late"] }, { signal: abort.signal }), "aborted");
    abort.abort();
    await aborted;
    server.thaw();
    await add({ channels: ["b"] });
    expect(await numberOfSubscribers(server, "late")).toBe(0);
    expect(await server.command("PUBSUB", "NUMPAT")).toBe(0);
    for (const channel of ["late", "a", "b"]) await server.command("PUBLISH", channel, "x");
    await expect.poll(() => heard).toEqual(["a", "b"]);
    expect(interruptions).toEqual([]);
  });

  it("keeps a topic that one call has added when another call for it has given up", async () => {
    const { server, add, heard } = await behindProxy({ channels: ["a"] });
    server.freeze();
    const patient = add({ channels: ["b"] });
    await expectRejection(add({ channels: ["b"] }, { timeoutMs: 50 }), "timeout");
    server.thaw();
    await patient;
    await server.command("PUBLISH", "b", "x");
    await expect.poll(() => heard).toEqual(["b"]);
  });

  it("has no more time for add than the transport's own default, connecting or not", async () => {
    const { proxy, add } = await behindProxy({ channels: ["a"] }, { timeout: "150s" });
    proxy.set({ kind: "blackhole" });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      let outcome: unknown;
      void add({ channels: ["b"] }).catch((error: unknown) => {
        outcome = error;
      });
      await vi.advanceTimersByTimeAsync(149_999);
      expect(outcome).toBeUndefined();
      await vi.advanceTimersByTimeAsync(1);
      expect(outcome).toMatchObject({ kind: "timeout" });
    } finally {
      vi.useRealTimers();
    }
  });

  it.each(["blackhole", "half-open"] as const)(
    "whose connection is a %s still hears nothing of what it removed, and says that it was not confirmed",
    async (kind) => {
      const { server, proxy, remove, heard } = await behindProxy({ channels: ["a", "b"] });
      proxy.set(kind === "blackhole" ? { kind } : { kind, lost: "requests" });
      await expectRejection(remove({ channels: ["a"] }, { timeoutMs: 50 }), "timeout");
      for (const channel of ["a", "b"]) await server.command("PUBLISH", channel, "x");
      if (kind === "half-open") await expect.poll(() => heard).toEqual(["b"]);
      else expect(heard).toEqual([]);
    },
  );

  it("is interrupted once when its connection breaks in the middle of add, which rejects", async () => {
    const { server, proxy, subscription, add, remove, interruptions } = await behindProxy({ channels: ["a"] });
    server.freeze();
    const adding = [add({ channels: ["b"] }), add({ patterns: ["p*"] })].map((call) =>
      expectRejection(call, "unreachable"),
    );
    const removing = remove({ channels: ["a"] });
    proxy.cut();
    for (const call of adding) expect((await call).delivery).toBe("unknown");
    await removing;
    await expect.poll(() => interruptions.length).toBe(1);
    server.thaw();
    expect((await expectRejection(add({ channels: ["b"] }), "unreachable")).delivery).toBe("none");
    await remove({ channels: ["a"] });
    await subscription.close();
    expect(interruptions).toMatchObject([{ kind: "unreachable" }]);
    expect(proxy.connections).toBe(0);
  });

  it("never connects nor listens again by itself, even for a client that would", async () => {
    const server = opened(await startRedisServer());
    const client = new Redis(server.url, { lazyConnect: true, retryStrategy: () => 1, reconnectOnError: () => 2 });
    client.on("error", () => {});
    opened({ close: async () => client.disconnect() });
    const transport = opened(tcpTransport({ client }));
    const interruptions: TransportError[] = [];
    const heard: Message[] = [];
    await transport.subscribe(
      { channels: ["a"] },
      { message: (message) => void heard.push(message), interrupted: (error) => void interruptions.push(error) },
    );
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await expect.poll(() => interruptions.length).toBe(1);
    await transport.send([["PING"]]);
    expect(await numberOfSubscribers(server, "a")).toBe(0);
    expect(interruptions).toHaveLength(1);
    expect(heard).toEqual([]);
  });

  it("rejects add with kind closed when the transport closes meanwhile, and tells its listener once", async () => {
    const { server, subscription, transport, add, remove, interruptions } = await behindProxy({ channels: ["a"] });
    server.freeze();
    const adding = expectRejection(add({ channels: ["b"] }), "closed");
    const removing = remove({ channels: ["a"] });
    await transport.close();
    await adding;
    await removing;
    server.thaw();
    await subscription.close();
    await expectRejection(add({ channels: ["b"] }), "closed");
    expect(interruptions).toMatchObject([{ kind: "closed" }]);
  });
});

describe("a user who may not listen to everything", () => {
  it("is told so by add, and goes on hearing exactly what it heard", async () => {
    const server = opened(await startRedisServer({ users: ["app on >pw ~* &app:* +@all"] }));
    const { add, heard, interruptions } = await listening(`redis://app:pw@127.0.0.1:${server.port}`, {
      channels: ["app:a"],
    });
    for (const topics of [
      { channels: ["app:b", "other"] },
      { patterns: ["*"] },
      { channels: ["app:b"], patterns: ["other"] },
    ]) {
      const error = await expectRejection(add(topics), "unauthorized");
      expect(error.message).toMatch(/ACL/);
    }
    await add({ channels: ["app:c"] });
    expect(await numberOfSubscribers(server, "app:b")).toBe(0);
    for (const channel of ["app:b", "other", "app:a", "app:c"]) await server.command("PUBLISH", channel, "x");
    await expect.poll(() => heard).toEqual(["app:a", "app:c"]);
    expect(interruptions).toEqual([]);
  });
});
