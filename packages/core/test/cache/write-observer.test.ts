import { Cache, type Command, CommandError, type Reply, type SendOptions } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";
import { empty, recordingTransport } from "../recording-transport.ts";

function observedCache(answer: (command: Command) => Reply = empty) {
  const transport = recordingTransport(answer);
  const cache = new Cache({ transport, keyPrefix: "app:" });
  const told: { commands: readonly Command[]; replies: readonly Reply[]; options: SendOptions }[] = [];
  const shared = cache.observed(async (commands, replies, options) => {
    told.push({ commands, replies, options });
  });
  return { transport, cache, shared, told };
}

describe("a cache that is observed", () => {
  it("reports the writes of each call with their replies before the call resolves", async () => {
    const { shared, told } = observedCache((command) => (command[0] === "DEL" ? 1 : empty(command)));
    expect(await shared.delete("a", "b")).toBe(1);
    expect(told).toEqual([{ commands: [["DEL", "app:a", "app:b"]], replies: [1], options: {} }]);
    await shared.pipeline().set("a", 1, { ttl: 60 }).get("b").execute();
    expect(told[1]?.commands).toEqual([
      ["SET", "app:a", "1", "EX", 60],
      ["GET", "app:b"],
    ]);
    await shared.with({ fallback: false }).transaction().delete("c").execute();
    expect(told[2]?.options).toEqual({ fallback: false, atomic: true });
  });

  it("does not report reads, values stored by getOrSet, or calls made without the observer", async () => {
    const { cache, shared, told } = observedCache();
    await shared.get("a");
    await shared.pipeline().get("a").execute();
    await shared.getOrSet("a", () => 1);
    await cache.set("a", 1);
    expect(told).toEqual([]);
  });

  it("shares trips with the cache, and an observer's failure does not affect other calls", async () => {
    const { cache, transport } = observedCache((command) => (command[0] === "DEL" ? 0 : empty(command)));
    const failing = cache.observed(() => Promise.reject(new Error("not told")));
    const calls = await Promise.allSettled([failing.delete("a"), failing.get("b"), cache.delete("c")]);
    expect(calls.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(transport.trips.length).toBe(1);
  });

  it("reports commands that Redis refused with their errors", async () => {
    const { shared, told } = observedCache(() => new CommandError("NOPERM no"));
    await expect(shared.delete("a")).rejects.toThrow("NOPERM");
    expect(told[0]?.replies[0]).toBeInstanceOf(CommandError);
  });

  it("reports deletePattern trip by trip, with its glob", async () => {
    const { shared, told } = observedCache((command) => (command[0] === "SCAN" ? ["0", ["app:q:1"]] : 1));
    expect(await shared.deletePattern("q:*")).toBe(1);
    expect(told.map(({ commands, options }) => [commands[0]?.[0], options.invalidates])).toEqual([
      ["SCAN", ["app:q:*"]],
      ["UNLINK", ["app:q:*"]],
    ]);
  });

  it("fences loads of keys that are said to be written elsewhere", async () => {
    const { cache, transport } = observedCache();
    let finish: (value: string) => void = () => {};
    const loader = () =>
      new Promise<string>((resolve) => {
        finish = resolve;
      });
    const [first, second] = [cache.getOrSet("memory:1", loader), cache.getOrSet("other", () => "kept")];
    await second;
    cache.outdate("memory:*");
    finish("old");
    expect(await first).toBe("old");
    expect(transport.trips.flat().filter(([name]) => name === "SET")).toEqual([
      ["SET", "app:other", '"kept"', "EX", 300],
    ]);
  });
});
