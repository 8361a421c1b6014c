import { Cache, type Codec, type Command, json, type SendOptions, type Transport } from "@continuum-cache/core";
import { answerSyncOf, dispatchOf, RoundTrip } from "@continuum-cache/core/kit";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

/** What a round trip has brought by the time when its dispatch returns: replies, an error, or undefined. */
function atOnce(transport: Transport, commands: readonly Command[], options: SendOptions = {}): unknown {
  let outcome: unknown;
  const keep = (brought: unknown): void => {
    outcome = brought;
  };
  dispatchOf(transport)(new RoundTrip(commands, options, 5_000), { answered: keep, failed: keep });
  return outcome;
}

describe("a round trip to a memory", () => {
  const memory = memoryTransport();

  it("is answered at once, as send answers and in the order of the calls", async () => {
    const sent = memory.send([["SET", "key", "1"]]);
    const replies = atOnce(memory, [
      ["INCR", "key"],
      ["GET", "key"],
    ]);
    expect(replies).toEqual([2, "2"]);
    const later = memory.send([["GET", "key"]]);
    expect(atOnce(memory, [["DEL", "key"]])).toEqual([1]);
    expect([await sent, await later]).toEqual([["OK"], ["2"]]);
  });

  it("fails as send rejects", async () => {
    const bad = [["SET", "key", null]] as never;
    expect(atOnce(memory, bad)).toEqual(await memory.send(bad).catch((error: unknown) => error));
    expect(atOnce(memory, bad)).toMatchObject({ kind: "protocol", delivery: "none" });
    const closed = memoryTransport();
    await closed.close();
    expect(atOnce(closed, [["PING"]])).toMatchObject({ kind: "closed" });
  });

  it("can still be aborted in the tick that has sent it", async () => {
    const controller = new AbortController();
    const answer = new Promise<unknown>((answered, failed) => {
      const trip = new RoundTrip([["GET", "key"]], { signal: controller.signal }, 5_000);
      dispatchOf(memory)(trip, { answered, failed });
    });
    controller.abort();
    await expect(answer).rejects.toMatchObject({ kind: "aborted", delivery: "unknown" });
  });

  it("goes through the send of what wraps the memory", () => {
    expect(answerSyncOf(memory)).toBeDefined();
    for (const wrapped of [{ ...memory }, switchable(memory), withFallback(switchable(), memoryTransport())]) {
      expect(atOnce(wrapped, [["PING"]])).toBeUndefined();
      expect(answerSyncOf(wrapped)).toBeUndefined();
    }
  });
});

describe("a cache on a memory", () => {
  const cache = new Cache({ transport: memoryTransport() });

  it("completes each call before the next one starts, in any order of kinds", async () => {
    const calls = [
      cache.set("a", 1),
      cache.get("a"),
      cache.increment("n", 2),
      cache.pipeline().increment("n").set("a", 2).execute(),
      cache.get("a"),
      cache.transaction().increment("n").execute(),
      cache.getMany(["a", "n", "none"]),
      cache.delete("a"),
      cache.get("a"),
    ];
    expect(await Promise.all(calls)).toEqual([true, 1, 2, [3, true], 2, [4], [2, 4, undefined], 1, undefined]);
  });

  it("keeps the order of calls if some wait for the end of their tick", async () => {
    const { signal } = new AbortController();
    const calls = [
      cache.set("b", 1, { signal }),
      cache.get("b"),
      cache.set("b", 2),
      cache.get("b", { signal }),
      cache.delete("b"),
      cache.getOrSet("b", () => 3),
    ];
    expect(await Promise.all(calls)).toEqual([true, 1, true, 2, 1, 3]);
  });

  it("gives for calls of one tick the results of sequential calls", async () => {
    const key = fc.constantFrom("a", "b");
    const call = fc.record({
      kind: fc.constantFrom("get", "set", "delete", "getMany", "getOrSet", "increment", "pipeline"),
      key,
      other: key,
      value: fc.nat(9),
      hasSignal: fc.boolean(),
    });
    type Call = typeof call extends fc.Arbitrary<infer Drawn> ? Drawn : never;
    const ask = (on: Cache, { kind, key, other, value, hasSignal }: Call): Promise<unknown> => {
      const options = hasSignal ? { signal: new AbortController().signal } : {};
      switch (kind) {
        case "get":
          return on.get(key, options);
        case "set":
          return on.set(key, value, options);
        case "delete":
          return on.delete(key, options);
        case "getMany":
          return on.getMany([key, other], options);
        case "getOrSet":
          return on.getOrSet(key, () => undefined, options);
        case "increment":
          return on.increment(key, value, options);
        default:
          return on.pipeline().get(key).set(other, value).get(other).execute(options);
      }
    };
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 20 }), async (calls) => {
        const [atOnce, inTurn] = [
          new Cache({ transport: memoryTransport() }),
          new Cache({ transport: memoryTransport() }),
        ];
        const expected: unknown[] = [];
        for (const one of calls) expected.push(await ask(inTurn, one));
        expect(await Promise.all(calls.map((one) => ask(atOnce, one)))).toEqual(expected);
      }),
      runs(),
    );
  });

  it("does nothing for a call that is aborted in its tick", async () => {
    const controller = new AbortController();
    const call = cache.set("aborted", 1, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ kind: "aborted" });
    expect(await cache.get("aborted")).toBeUndefined();
  });

  it("reads a key of another type as a miss, and rejects what Redis refuses", async () => {
    await cache.rpush("list", 1);
    expect(await cache.get("list")).toBeUndefined();
    await expect(cache.increment("list")).rejects.toMatchObject({ code: "WRONGTYPE" });
  });

  it("counts each call as a round trip of its own, and getMany as one with one MGET", async () => {
    const counting = new Cache({ transport: memoryTransport() });
    await Promise.all([counting.get("a"), counting.set("a", 1), counting.get("a")]);
    expect(counting.stats()).toMatchObject({ hits: 1, misses: 1, commands: 3, trips: 3 });
    await counting.getMany(["a", "b", "a"]);
    expect(counting.stats()).toMatchObject({ hits: 3, misses: 2, commands: 4, trips: 4 });
  });

  it("decodes a text that is read often once, if the codec can copy its values", async () => {
    const { copy, ...plain } = json();
    const decodings = async (codec: Codec, wrapped = false): Promise<number> => {
      let count = 0;
      const decode: Codec["decode"] = (stored) => {
        count++;
        return codec.decode(stored);
      };
      const transport = wrapped ? { ...memoryTransport() } : memoryTransport();
      const counting = new Cache({ transport, codec: { ...codec, name: "json", decode } });
      await counting.set("a", { list: [1] });
      const read = await Promise.all([
        counting.get("a"),
        counting.getOrSet("a", () => 0),
        counting.getMany(["a", "a"]),
      ]);
      expect(read).toEqual([{ list: [1] }, { list: [1] }, [{ list: [1] }, { list: [1] }]]);
      expect(new Set(read.flat()).size).toBe(4);
      return count;
    };
    expect(await decodings({ ...plain, ...(copy && { copy }) })).toBe(1);
    expect(await decodings(plain)).toBe(4);
    expect(await decodings(json(), true)).toBe(4);
  });

  it("rejects calls after it was closed", async () => {
    const closed = new Cache({ transport: memoryTransport() });
    await closed.close();
    for (const call of [closed.get("a"), closed.set("a", 1), closed.getMany(["a"])]) {
      await expect(call).rejects.toMatchObject({ kind: "closed" });
    }
    expect(await closed.getOrSet("a", () => "loaded")).toBe("loaded");
  });

  it("bypasses no wrapper", async () => {
    const inner = memoryTransport();
    const sent: unknown[] = [];
    const send: typeof inner.send = (commands, options) => {
      sent.push(...commands);
      return inner.send(commands, options);
    };
    const wrapped = new Cache({ transport: { ...inner, send } });
    await Promise.all([wrapped.get("a"), wrapped.get("b")]);
    expect(sent).toEqual([["MGET", "a", "b"]]);
    const replaced = memoryTransport();
    const traced = new Cache({ transport: replaced });
    replaced.send = async (commands) => commands.map(() => ["5"]);
    expect(await traced.get("a")).toBe(5);
  });
});

describe("getOrSet on a memory", () => {
  it("reads once, hit or miss", async () => {
    const cache = new Cache({ transport: memoryTransport() });
    expect(await cache.getOrSet("a", () => ({ nth: 1 }))).toEqual({ nth: 1 });
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 1, loads: 1, commands: 2, errors: 0 });
    const [first, second] = await Promise.all([cache.getOrSet("a", () => 0), cache.getOrSet("a", () => 0)]);
    expect([first, second]).toEqual([{ nth: 1 }, { nth: 1 }]);
    expect(first).not.toBe(second);
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1, loads: 1, commands: 4 });
  });

  it("loads once for all callers that miss", async () => {
    const cache = new Cache({ transport: memoryTransport() });
    let loads = 0;
    const load = async (): Promise<number> => ++loads;
    const all = Array.from({ length: 5 }, () => cache.getOrSet("a", load));
    expect(await Promise.all(all)).toEqual([1, 1, 1, 1, 1]);
    expect(cache.stats()).toMatchObject({ loads: 1, misses: 1 });
  });

  it("reports a value that can't be read, and loads", async () => {
    const transport = memoryTransport();
    await transport.send([["SET", "a", "{damaged"]]);
    const cache = new Cache({ transport });
    const told: unknown[] = [];
    cache.on("error", ({ operation, key }) => told.push([operation, key]));
    expect(await cache.getOrSet("a", () => 1)).toBe(1);
    expect(told).toEqual([["getOrSet", "a"]]);
    expect(cache.stats()).toMatchObject({ misses: 1, errors: 1, loads: 1 });
  });

  it("rejects invalid options before it reads", async () => {
    const cache = new Cache({ transport: memoryTransport() });
    await cache.set("a", 1);
    await expect(cache.getOrSet("a", () => 2, { ttl: -1 })).rejects.toMatchObject({ name: "ConfigError" });
    await expect(cache.getOrSet("a", () => 2, { loaderTimeout: "soon" as "1s" })).rejects.toMatchObject({
      name: "ConfigError",
    });
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, commands: 1 });
  });
});
