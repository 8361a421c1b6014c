import { closing, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Command, Reply } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";

const opened = closing(afterEach);
const largest = Number.MAX_SAFE_INTEGER;
const counts = Array.from({ length: 130 }, (_, below) => largest - below).flatMap((count) => [count, -count]);

describe("integers that a number only just holds", () => {
  it("arrive as they are in Redis: alone, in a transaction and nested in a script's reply", async () => {
    const server = opened(await startRedisServer());
    const transport = opened(tcpTransport({ url: server.url }));
    const increments = counts.map((count, at): Command => ["INCRBY", `key:${at}`, String(count)]);
    expect(await transport.send(increments)).toEqual(counts);
    const noMore = counts.map((_, at): Command => ["INCRBY", `key:${at}`, "0"]);
    expect(await transport.send(noMore, { atomic: true })).toEqual(counts);

    const integers = (from: number, to: number): string =>
      counts
        .slice(from, to)
        .map((count) => `redis.call("INCRBY", KEYS[1], "${count}"), redis.call("DECRBY", KEYS[1], "${count}")`)
        .join(", ");
    const nested = (from: number, to: number): Reply => counts.slice(from, to).flatMap((count) => [count, 0]);
    const script = `return {"9007199254740991", {${integers(0, 20)}}, 7, {${integers(20, 40)}}}`;
    const expected = ["9007199254740991", nested(0, 20), 7, nested(20, 40)];
    expect(
      await transport.send([
        ["EVAL", script, 1, "sum"],
        ["GET", "key:0"],
      ]),
    ).toEqual([expected, String(largest)]);
  });

  it("arrive so from a client of the caller's", async () => {
    const server = opened(await startRedisServer());
    const client = new Redis(server.url);
    const transport = opened(tcpTransport({ client }));
    try {
      await transport.send([["PING"]]);
      const increments = counts.map((count, at): Command => ["INCRBY", `key:${at}`, String(count)]);
      expect(await transport.send(increments)).toEqual(counts);
    } finally {
      client.disconnect();
    }
  });
});
