import type { Command } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { watchMaps } from "@continuum-cache/test-scale/watched-maps";
import { describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

// V8 hashes strings of more than 16,383 characters by their length alone, so that all of one length meet in one bucket
// of a Map. None of them may become the key of a Map.

const longestHashed = 16_383;
const count = 5;
const nameOf = (at: number): string => "k".repeat(18_500) + String(at).padStart(6, "0");

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
  it.each(uses)("%s, in the memory", async (_, command) => {
    const memory = memoryTransport();
    await memory.send([["XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM"]]);
    const { longestText } = await watchMaps(async () => {
      for (let at = 0; at < count; at++) await memory.send([command(nameOf(at))]);
    });
    expect(longestText).toBeLessThanOrEqual(longestHashed);
  });

  it.each(uses.slice(0, 3))("%s, in an outage", async (_, command) => {
    const primary = switchable(memoryTransport());
    const transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "10ms" });
    primary.fail("unreachable", { delivery: "none" });
    const { longestText } = await watchMaps(async () => {
      for (let at = 0; at < count; at++) await transport.send([command(nameOf(at))]);
      primary.restore();
      await expect.poll(() => transport.status?.currentBackend).toBe("upstash");
    });
    expect(longestText).toBeLessThanOrEqual(longestHashed);
    await transport.close();
  });

  it("channels of a subscription", async () => {
    const memory = memoryTransport();
    const channels = Array.from({ length: count }, (_, at) => nameOf(at));
    const { longestText } = await watchMaps(async () => {
      const { close } = await memory.subscribe({ channels }, { message() {}, interrupted() {} });
      for (const channel of channels) expect(await memory.send([["PUBLISH", channel, "x"]])).toEqual([1]);
      await close();
    });
    expect(longestText).toBeLessThanOrEqual(longestHashed);
  });
});
