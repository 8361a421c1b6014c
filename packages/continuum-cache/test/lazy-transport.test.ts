import { isTransportError, type Reply, type Transport } from "@continuum-cache/core";
import { dispatchOf, loadedOnce, RoundTrip } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { describe, expect, it, vi } from "vitest";
import { lateStatus } from "../src/lazy/late-status.ts";
import { lazyTransport } from "../src/lazy/lazy-transport.ts";
import { UpstashCache } from "../src/upstash-cache.ts";

const itself = (transport: Transport): Transport => transport;

/** A transport that is loaded when the test says so. */
function held() {
  let arrive: (transport: Transport) => void = () => {};
  const promise = new Promise<Transport>((resolve) => {
    arrive = resolve;
  });
  let loads = 0;
  let unused = 0;
  const load = () => {
    loads++;
    return promise;
  };
  const transport = lazyTransport({ name: "lazy", closeUnused: async () => void unused++ }, loadedOnce(load, itself));
  return {
    transport,
    arrive: (made: Transport) => arrive(made),
    get loads() {
      return loads;
    },
    get unused() {
      return unused;
    },
  };
}

const dispatched = (transport: Transport, ...command: [string, ...string[]]): Promise<Reply[]> =>
  new Promise((answered, failed) => {
    dispatchOf(transport)(new RoundTrip([command], {}, 1_000), { answered, failed });
  });

describe("a lazy transport", () => {
  it("loads nothing until it is used, and then once", async () => {
    const site = held();
    expect(site.loads).toBe(0);
    const replies = [site.transport.send([["PING"]]), site.transport.send([["ECHO", "a"]])];
    expect(site.loads).toBe(1);
    site.arrive(memoryTransport());
    expect(await Promise.all(replies)).toEqual([["PONG"], ["a"]]);
    expect(site.loads).toBe(1);
  });

  it("keeps the order of what waits, whichever way it was asked", async () => {
    const site = held();
    const { transport } = site;
    const waiting = [
      transport.send([["RPUSH", "list", "1"]]),
      dispatched(transport, "RPUSH", "list", "2"),
      transport.send([["RPUSH", "list", "3"]]),
      dispatched(transport, "RPUSH", "list", "4"),
    ];
    site.arrive(memoryTransport());
    // Asked in the turn in which the others are still on their way.
    await Promise.resolve();
    waiting.push(dispatched(transport, "RPUSH", "list", "5"));
    await Promise.all(waiting);
    expect(await transport.send([["LRANGE", "list", "0", "-1"]])).toEqual([["1", "2", "3", "4", "5"]]);
  });

  it("rejects what waits when the code can't be loaded, and loads again for the next call", async () => {
    let loads = 0;
    const cause = new Error("Cannot find module 'part.js'");
    const load = async () => {
      if (loads++ === 0) throw cause;
      return memoryTransport();
    };
    const transport = lazyTransport({ name: "lazy" }, loadedOnce(load, itself));
    const [first, second] = await Promise.allSettled([transport.send([["PING"]]), dispatched(transport, "PING")]);
    for (const outcome of [first, second]) {
      const error = outcome?.status === "rejected" ? outcome.reason : undefined;
      expect(isTransportError(error) && error).toMatchObject({ kind: "unreachable", delivery: "none", cause });
      expect(String(error)).toContain("deploy all files of the packages");
    }
    expect(await transport.send([["PING"]])).toEqual(["PONG"]);
  });

  it("rejects by its deadline what waits for code that does not come", async () => {
    const { transport } = held();
    const asked = transport.send([["PING"]], { timeoutMs: 20 });
    await expect(asked).rejects.toMatchObject({ kind: "timeout", delivery: "none" });
  });

  it("leaves a call the rest of its time when the code has come, whichever way it was asked", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const { transport, arrive } = held();
      const inner = memoryTransport();
      const left: unknown[] = [];
      const answers = [
        transport.send([["PING"]], { timeoutMs: 1_000 }),
        dispatched(transport, "PING"),
        transport.subscribe?.({ channels: ["a"] }, { message() {}, interrupted() {} }, { timeoutMs: 1_000 }),
      ];
      await vi.advanceTimersByTimeAsync(400);
      arrive({
        ...inner,
        async send(commands, options) {
          left.push(options?.timeoutMs);
          return inner.send(commands, options);
        },
        async subscribe(topics, listener, options) {
          left.push(options?.timeoutMs);
          return (inner as Required<Transport>).subscribe(topics, listener, options);
        },
      });
      await Promise.all(answers);
      expect(left).toEqual([600, 600, 600]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("answers on the edge though the request that began to load it has vanished", async () => {
    vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
    try {
      const load = vi.fn(async () => memoryTransport());
      load.mockReturnValueOnce(new Promise(() => {}));
      const transport = lazyTransport({ name: "lazy" }, loadedOnce(load, itself));
      const vanished = expect(transport.send([["PING"]], { timeoutMs: 200 })).rejects.toMatchObject({
        kind: "timeout",
      });
      await transport.send([["SET", "a", "1"]]);
      expect(await dispatched(transport, "GET", "a")).toEqual(["1"]);
      await vanished;
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("is closed without being loaded when it was never used", async () => {
    const site = held();
    await site.transport.close();
    expect([site.loads, site.unused]).toEqual([0, 1]);
    await expect(site.transport.send([["PING"]])).rejects.toMatchObject({ kind: "closed", delivery: "none" });
    await expect(dispatched(site.transport, "PING")).rejects.toMatchObject({ kind: "closed" });
    expect(site.loads).toBe(0);
  });

  it("answers what was asked before it was closed, and closes what it has loaded", async () => {
    const site = held();
    const asked = site.transport.send([["PING"]]);
    const closing = site.transport.close();
    const memory = memoryTransport();
    site.arrive(memory);
    expect(await asked).toEqual(["PONG"]);
    await closing;
    await expect(memory.send([["PING"]])).rejects.toMatchObject({ kind: "closed" });
    expect(site.unused).toBe(0);
  });

  it("is closed without code that does not come, and closes what comes after all", async () => {
    vi.useFakeTimers();
    try {
      const site = held();
      const asked = expect(site.transport.send([["PING"]])).rejects.toMatchObject({
        kind: "timeout",
        delivery: "none",
      });
      const closing = site.transport.close();
      await vi.advanceTimersByTimeAsync(5_000);
      await asked;
      await closing;
      expect(site.unused).toBe(1);
      const memory = memoryTransport();
      site.arrive(memory);
      await vi.advanceTimersByTimeAsync(1);
      await expect(site.transport.send([["PING"]])).rejects.toMatchObject({ kind: "closed" });
      await expect(memory.send([["PING"]])).rejects.toMatchObject({ kind: "closed" });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the status of a transport that is made later", () => {
  it("is that of the primary until then, and the transport's own afterwards", () => {
    const { status, follow } = lateStatus("upstash");
    expect([status.currentBackend, status.pending, status.outage]).toEqual(["upstash", 0, undefined]);
    follow({ currentBackend: "local", pending: 3, onChange: () => () => {} });
    expect([status.currentBackend, status.pending]).toEqual(["local", 3]);
  });

  it("tells listeners that came before and after, until they stop", () => {
    const listeners = new Set<unknown>();
    const { status, follow } = lateStatus("upstash");
    const onChange = (listener: unknown) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
    const [early, stopped, late] = [() => {}, () => {}, () => {}];
    const stopEarly = status.onChange(early);
    status.onChange(stopped)();
    follow({ currentBackend: "upstash", pending: 0, onChange });
    const stopLate = status.onChange(late);
    expect([...listeners]).toEqual([early, late]);
    stopEarly();
    stopLate();
    expect(listeners.size).toBe(0);
  });
});

it("the memory of this process answers each call without waiting, once it is loaded", async () => {
  await using cache = new UpstashCache({ env: { CONTINUUM_CACHE_MODE: "local" } });
  await Promise.all([cache.set("a", 1), cache.get("a")]);
  const before = cache.stats().trips;
  expect(await Promise.all([cache.get("a"), cache.get("b"), cache.get("a")])).toEqual([1, undefined, 1]);
  expect(cache.stats().trips - before).toBe(3);
});

it("the memory of this process decodes JSON that is read often once, whichever codecs may read", async () => {
  await using cache = new UpstashCache({ env: { CONTINUUM_CACHE_MODE: "local" } });
  await cache.set("a", { name: "Ada" });
  await cache.get("a");
  using parse = vi.spyOn(JSON, "parse");
  const [one, other] = await Promise.all([cache.get("a"), cache.get("a")]);
  expect(parse).not.toHaveBeenCalled();
  expect(one).toEqual({ name: "Ada" });
  expect(one).not.toBe(other);
});
