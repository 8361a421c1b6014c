import type { Command } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

// V8 hashes strings of more than 16,383 characters by their length alone, so that all of one length meet in one
// bucket of a Map. Strings of unlike lengths do not: with those the same work shows how long it takes without
// collisions.

const count = 3_000;
const nameOf = (at: number, length: number): string => "k".repeat(length) + String(at).padStart(6, "0");

const uses: readonly (readonly [what: string, command: (name: string) => Command])[] = [
  ["keys", (name) => ["SET", name, "1"]],
  ["keys that are deleted", (name) => ["DEL", name]],
  ["keys that are counted", (name) => ["INCR", name]],
  ["fields of a hash", (name) => ["HSET", "hash", name, "1"]],
  ["members of a sorted set", (name) => ["ZADD", "set", 1, name]],
  ["groups of a stream", (name) => ["XGROUP", "CREATE", "stream", name, "$", "MKSTREAM"]],
  ["consumers of a group", (name) => ["XGROUP", "CREATECONSUMER", "stream", "group", name]],
];

describe("long strings of the same length cost as much as of any other", () => {
  const options = { maxBytes: 512 << 20 };
  const group: Command = ["XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM"];

  it.each(uses)("%s, in the memory", async (_, command) => {
    const tookMs = async (lengthOf: (at: number) => number): Promise<number> => {
      const memory = memoryTransport(options);
      await memory.send([group]);
      const startedMs = performance.now();
      for (let at = 0; at < count; at++) await memory.send([command(nameOf(at, lengthOf(at)))]);
      return performance.now() - startedMs;
    };
    const unlikeMs = await tookMs((at) => 17_000 + at);
    expect(await tookMs(() => 18_500)).toBeLessThan(10 * unlikeMs + 200);
  });

  it.each(uses.slice(0, 3))("%s, in an outage", async (_, command) => {
    const tookMs = async (lengthOf: (at: number) => number): Promise<number> => {
      const primary = switchable(memoryTransport(options));
      const transport = withFallback(primary, memoryTransport(options), {
        healthCheckInterval: "10ms",
        journal: { maxBytes: 512 << 20 },
      });
      const startedMs = performance.now();
      primary.fail("unreachable", { delivery: "none" });
      for (let at = 0; at < count; at++) await transport.send([command(nameOf(at, lengthOf(at)))]);
      primary.mend();
      await expect.poll(() => transport.status?.currentBackend, { timeout: 60_000, interval: 5 }).toBe("upstash");
      const ms = performance.now() - startedMs;
      await transport.close();
      return ms;
    };
    const unlikeMs = await tookMs((at) => 17_000 + at);
    expect(await tookMs(() => 18_500)).toBeLessThan(10 * unlikeMs + 1_000);
  });

  it("channels of a subscription", async () => {
    const tookMs = async (lengthOf: (at: number) => number): Promise<number> => {
      const memory = memoryTransport();
      const channels = Array.from({ length: count }, (_, at) => nameOf(at, lengthOf(at)));
      const startedMs = performance.now();
      const { close } = await memory.subscribe({ channels }, { message() {}, interrupted() {} });
      for (const channel of channels.slice(0, 100)) expect(await memory.send([["PUBLISH", channel, "x"]])).toEqual([1]);
      await close();
      return performance.now() - startedMs;
    };
    const unlikeMs = await tookMs((at) => 17_000 + at);
    expect(await tookMs(() => 18_500)).toBeLessThan(10 * unlikeMs + 200);
  });
});
