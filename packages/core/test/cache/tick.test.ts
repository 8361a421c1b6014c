import { Cache, type Command, CommandError, type Reply } from "@continuum-cache/core";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { empty, recordingTransport } from "../recording-transport.ts";

afterEach(() => void vi.useRealTimers());

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const names = (trip: Command[] | undefined) => trip?.map((command) => command.join(" "));

describe("one tick, one trip", () => {
  it("100 gets of one tick are one MGET, equal keys once", async () => {
    const transport = recordingTransport(empty);
    const cache = new Cache({ transport });
    await Promise.all(Array.from({ length: 100 }, (_, i) => cache.get(`k${i % 50}`)));
    expect(transport.trips).toHaveLength(1);
    expect(transport.trips[0]).toHaveLength(1);
    expect(transport.trips[0]?.[0]).toHaveLength(51);
    expect(cache.stats()).toMatchObject({ commands: 1, trips: 1, misses: 100 });
  });

  it("holds where there is no process.nextTick, as on the edge", async () => {
    const transport = recordingTransport(empty);
    const { nextTick } = process;
    Object.assign(process, { nextTick: undefined });
    try {
      const cache = new Cache({ transport });
      await Promise.all([
        cache.get("a"),
        cache.get("b"),
        cache.getOrSet("c", () => undefined),
        cache.exists("d").catch(() => {}),
      ]);
    } finally {
      Object.assign(process, { nextTick });
    }
    expect(transport.trips.map(names)).toEqual([["MGET a b c", "GETRANGE d 0 7"]]);
  });

  it("different calls of one tick share the trip, in order", async () => {
    const transport = recordingTransport(empty);
    const cache = new Cache({ transport, defaultTtl: Number.POSITIVE_INFINITY });
    await Promise.all([cache.set("a", 1), cache.get("b"), cache.delete("c").catch(() => 0), cache.get("d")]);
    expect(transport.trips.map(names)).toEqual([["SET a 1", "MGET b d", "DEL c"]]);
  });

  it("a read joins an earlier MGET only if no call wrote its key in between", async () => {
    const transport = recordingTransport(empty);
    const cache = new Cache({ transport, defaultTtl: Number.POSITIVE_INFINITY });
    await Promise.all([
      cache.get("a"),
      cache.set("a", 1),
      cache.get("a"),
      cache.get("b"),
      cache.set("c", 1),
      cache.get("b"),
    ]);
    expect(transport.trips.map(names)).toEqual([["MGET a", "SET a 1", "MGET a b", "SET c 1"]]);
  });

  it("an MGET carries at most 100 keys, so that its answer stays under 10 MB", async () => {
    const transport = recordingTransport(empty);
    await new Cache({ transport }).getMany(Array.from({ length: 250 }, (_, i) => `k${i}`));
    expect(transport.trips[0]?.map((command) => command.length - 1)).toEqual([100, 100, 50]);
  });

  it("gives what a model of one key after the other gives, for any calls of one tick", async () => {
    const key = fc.constantFrom("a", "b", "c");
    const call = fc.oneof(
      fc.record({ kind: fc.constant("get" as const), key }),
      fc.record({ kind: fc.constant("set" as const), key, value: fc.nat(9) }),
      fc.record({ kind: fc.constant("delete" as const), key }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 30 }), async (calls) => {
        const server = new Map<string, string>();
        const transport = recordingTransport(([name, ...args]): Reply => {
          const [first = "", second] = args.map(String);
          if (name === "MGET") return args.map((each) => server.get(String(each)) ?? null);
          if (name === "SET") return server.set(first, String(second)) && "OK";
          return server.delete(first) ? 1 : 0;
        });
        const cache = new Cache({ transport });
        const model = new Map<string, number>();
        const expected = calls.map((each) => {
          if (each.kind === "get") return model.get(each.key);
          if (each.kind === "set") return Boolean(model.set(each.key, each.value));
          return model.delete(each.key) ? 1 : 0;
        });
        const results = await Promise.all(
          calls.map((each) =>
            each.kind === "get"
              ? cache.get(each.key)
              : each.kind === "set"
                ? cache.set(each.key, each.value)
                : cache.delete(each.key),
          ),
        );
        expect(results).toEqual(expected);
        expect(transport.trips.length).toBeLessThanOrEqual(1);
      }),
      runs(),
    );
  });

  it("sends a transaction, and calls with fallback: false, as trips of their own, in order", async () => {
    const transport = recordingTransport((command) => (command[0] === "INCRBY" ? 1 : empty(command)));
    const cache = new Cache({ transport, defaultTtl: Number.POSITIVE_INFINITY });
    await Promise.all([
      cache.set("a", 1),
      cache.transaction().increment("n").execute(),
      cache.set("b", 1),
      cache.set("c", 1, { fallback: false }),
    ]);
    expect(transport.trips.map(names)).toEqual([["SET a 1"], ["INCRBY n 1"], ["SET b 1"], ["SET c 1"]]);
    expect(transport.options.map((options) => [options?.atomic, options?.fallback])).toEqual([
      [undefined, undefined],
      [true, undefined],
      [undefined, undefined],
      [undefined, false],
    ]);
  });

  it("asks key by key from then on when a cluster refuses keys of different slots", async () => {
    const transport = recordingTransport((command) =>
      command.length > 2
        ? new CommandError("CROSSSLOT Keys in request don't hash to the same slot")
        : [`"${command[1]}"`],
    );
    const cache = new Cache({ transport });
    expect(await cache.getMany(["a", "b"])).toEqual(["a", "b"]);
    expect(await cache.getMany(["c", "d"])).toEqual(["c", "d"]);
    expect(transport.trips.map((trip) => trip.length)).toEqual([1, 2, 2]);
    await cache.close();
  });

  it("is over when a cluster refuses reads together for which no call waits any more", async () => {
    let answer = (_: Reply): void => {};
    const transport = recordingTransport(([name]) =>
      name === "MGET" ? new Promise<Reply>((resolve) => (answer = resolve)) : "OK",
    );
    const cache = new Cache({ transport });
    const controller = new AbortController();
    const { signal } = controller;
    const reads = Promise.allSettled([cache.get("a", { signal }), cache.get("b", { signal })]);
    const companion = cache.set("c", 1);
    await turn();
    let isFlushed = false;
    const flushed = cache.flush().then(() => {
      isFlushed = true;
    });
    controller.abort();
    answer(new CommandError("CROSSSLOT Keys in request don't hash to the same slot"));
    expect(await companion).toBe(true);
    for (const { status } of await reads) expect(status).toBe("rejected");
    await turn();
    expect(isFlushed).toBe(true);
    await flushed;
  });

  it("does not send the commands of an aborted call, and still sends those of the other calls", async () => {
    const transport = recordingTransport(empty);
    const cache = new Cache({ transport, defaultTtl: Number.POSITIVE_INFINITY });
    const controller = new AbortController();
    const aborted = cache.set("a", 1, { signal: controller.signal });
    const companion = cache.set("b", 2);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ kind: "aborted" });
    expect(await companion).toBe(true);
    expect(transport.trips.map(names)).toEqual([["SET b 2"]]);
  });

  it("sends a call with less time than the others by itself, so that its deadline can be kept", async () => {
    // What is left of a call's time when it is sent is all of it.
    vi.useFakeTimers({ toFake: ["performance"] });
    const transport = recordingTransport(() => ['"here"']);
    const cache = new Cache({ transport });
    const calls = [cache.get("a", { timeout: "1s" }), cache.get("a"), cache.get("b", { timeout: "1s" })];
    expect(await Promise.all(calls)).toEqual(["here", "here", "here"]);
    expect(transport.options.map((options) => options?.timeoutMs)).toEqual([1_000, 5_000, 1_000]);
  });

  it("aborts the trip once all of its callers have given up", async () => {
    let aborted = false;
    const cache = new Cache({
      transport: {
        name: "slow",
        send: (_, options) =>
          new Promise((_resolve, reject) => {
            options?.signal?.addEventListener("abort", () => {
              aborted = true;
              reject(new Error("aborted"));
            });
          }),
        close: async () => {},
      },
    });
    const [one, two] = [new AbortController(), new AbortController()];
    const calls = [cache.get("a", { signal: one.signal }), cache.get("b", { signal: two.signal })];
    await turn();
    one.abort();
    expect(aborted).toBe(false);
    two.abort();
    expect(aborted).toBe(true);
    for (const outcome of await Promise.allSettled(calls)) expect(outcome.status).toBe("rejected");
  });
});
