import { memoryTransport } from "@continuum-cache/fallback-memory";
import { describe, expect, it } from "vitest";
import { SyncLog } from "../../src/log/sync-log.ts";
import { relay } from "../../src/relay/relay.ts";
import { closing, following, named, waitFor } from "../log/logs.ts";
import { type Region, regionsOf } from "./regions.ts";

// Losses on one side or the other: copied again where possible, counted where not.

const opened = closing();
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe("a relay", () => {
  it("reports a gap at the source, and readers at the destination count the same", async () => {
    const { east, west, carry, key } = await regionsOf("Redis protocol", opened);
    const first = carry(east, west);
    const a = east.log<number>("a");
    const reading = opened(following(west.log<number>("b")));
    await a.appendMany(numbers(1, 10));
    await waitFor(() => expect(reading.seen.length).toBe(10));
    await first.relay.close();
    await a.appendMany(numbers(11, 30));
    await east.redis.command("XTRIM", `${key}:a`, "MAXLEN", 5);
    const { emitted } = carry(east, west);
    await waitFor(() => expect(reading.seen.slice(10)).toEqual(["a:11..25 retention", ...named("a", 26, 30)]));
    expect(emitted.gap).toEqual([{ origin: "a", missed: 15, fromSeq: 11, toSeq: 25, reason: "retention" }]);
  });

  it("lets readers at the destination count what is gone at the source, also when no event follows", async () => {
    const { east, west, carry, key } = await regionsOf("Redis protocol", opened);
    const first = carry(east, west);
    const a = east.log<number>("a");
    const reading = following(west.log<number>("b"));
    await a.appendMany(numbers(1, 3));
    await waitFor(() => expect(reading.seen.length).toBe(3));
    await first.relay.close();
    await a.appendMany(numbers(4, 9));
    await east.redis.command("XTRIM", `${key}:a`, "MAXLEN", 0);
    const { emitted } = carry(east, west);
    await waitFor(() => expect(emitted.gap).toMatchObject([{ missed: 6, fromSeq: 4, toSeq: 9 }]));
    await reading.stop();
    const again = opened(following(west.log<number>("c")));
    await a.append(10);
    await waitFor(() => expect(again.seen.at(-1)).toBe("a:10"));
  });

  it("never copies again what the destination has trimmed", async () => {
    const { east, west, carry, key } = await regionsOf("Redis protocol", opened);
    const { relay: first } = carry(east, west);
    const a = east.log<number>("a");
    await a.appendMany(numbers(1, 20));
    await waitFor(async () => expect(await west.length("a")).toBe(20));
    await west.redis.command("XTRIM", `${key}:a`, "MAXLEN", 3);
    await first.close();
    carry(east, west);
    await a.append(21);
    await waitFor(async () => expect(await west.length("a")).toBe(4));
  });

  it("copies again what the destination has lost, also when nothing new is appended", async () => {
    const { east, west, carry, key } = await regionsOf("Redis protocol", opened);
    const { emitted } = carry(east, west);
    const a = east.log<number>("a");
    await a.appendMany(numbers(1, 30));
    await waitFor(async () => expect(await west.length("a")).toBe(30));
    // Like a failover to a lagging replica: the last entries are gone, and the stream's last id too.
    const entries = (await west.redis.command("XRANGE", `${key}:a`, "-", "+", "COUNT", 12)) as [string, string[]][];
    await west.redis.command("DEL", `${key}:a`);
    for (const [id, fields] of entries) await west.redis.command("XADD", `${key}:a`, id, ...fields);
    await waitFor(async () => expect(await west.length("a")).toBe(30));
    expect(emitted.repaired).toContainEqual({ origin: "a" });
    await west.redis.command("FLUSHALL");
    await waitFor(async () => expect(await west.length("a")).toBe(30));
    const reading = opened(following(west.log("late")));
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 30)));
  });

  it("leaves no hole when the destination loses its last entries between two pages", async () => {
    const { east, west, carry, key } = await regionsOf("Redis protocol", opened);
    carry(east, west, { batch: 5, pollInterval: "60s" });
    const a = east.log<number>("a");
    await a.appendMany(numbers(1, 10));
    await waitFor(async () => expect(await west.length("a")).toBe(10));
    await west.redis.command("DEL", `${key}:a`);
    await a.append(11);
    await waitFor(async () => expect(await west.length("a")).toBe(11));
    const reading = opened(following(west.log("b")));
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 11)));
  });

  it("continues when the source was flushed and its origin appends again what it remembers", async () => {
    const { east, west, carry } = await regionsOf("Redis protocol", opened);
    carry(east, west);
    const a = east.log<number>("a", { lease: "400ms" });
    await a.appendMany(numbers(1, 20));
    await waitFor(async () => expect(await west.length("a")).toBe(20));
    const reading = opened(following(west.log<number>("b")));
    await waitFor(() => expect(reading.seen.length).toBe(20));
    await east.redis.command("FLUSHALL");
    await a.append(21);
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 21)));
    expect(await west.length("a")).toBe(21);
  });

  it("copies a history that began anew as a reset", async () => {
    const { east, west, carry } = await regionsOf("Redis protocol", opened);
    const { emitted } = carry(east, west);
    const first = east.log<number>("a");
    await first.appendMany(numbers(1, 20));
    const reading = opened(following(west.log<number>("b")));
    await waitFor(() => expect(reading.seen.length).toBe(20));
    await first.close();
    await east.redis.command("FLUSHALL");
    await east.log<number>("a").appendMany([1, 2]);
    await waitFor(() => expect(reading.seen.slice(20)).toEqual(["a:1..0 reset", "a:1", "a:2"]));
    expect(emitted.gap).toEqual([{ origin: "a", missed: 0, fromSeq: 1, toSeq: 0, reason: "reset" }]);
  });

  it("relays further what another relay has copied", async () => {
    const { regions, carry } = await regionsOf("Redis protocol", opened, ["east", "west", "south"]);
    const [east, west, south] = regions as [Region, Region, Region];
    carry(east, west, { pollInterval: "60s" });
    carry(west, south, { pollInterval: "60s" });
    const a = east.log<number>("a");
    const reading = opened(following(south.log<number>("c")));
    await a.appendMany(numbers(1, 50));
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 50)));
  });

  it("trims the destination by the retention", async () => {
    const { east, west, carry, key } = await regionsOf("Redis protocol", opened);
    const oldMs = Date.now() - 7_200_000;
    for (let seq = 1; seq <= 300; seq++)
      await east.redis.command("XADD", `${key}:a`, `${oldMs + seq}-${seq}`, "e", `${seq}`);
    const a = east.log<number>("a");
    await a.append(301);
    carry(east, west, { retention: "1h", batch: 50 });
    await waitFor(async () => {
      const last = (await west.redis.command("XREVRANGE", `${key}:a`, "+", "-", "COUNT", 1)) as [string][];
      expect(last[0]?.[0]).toMatch(/-301$/);
    });
    // Redis trims whole nodes of 100 entries.
    expect(await west.length("a")).toBeLessThanOrEqual(150);
  });

  it("reports a name that is held on both sides, and copies the other origins", async () => {
    const { east, west, carry } = await regionsOf("Redis protocol", opened);
    await Promise.all([east.log("same").append(1), west.log("same").append(2), east.log("a").append(3)]);
    const { relay: one, emitted } = carry(east, west);
    await waitFor(async () => expect(await west.length("a")).toBe(1));
    expect(emitted.error[0]?.error.message).toContain('"same" is held on both sides');
    expect((await one.stats()).origins).toEqual({ a: { sourceSeq: 1, destinationSeq: 1, behind: 0 } });
    expect(await west.length("same")).toBe(1);
  });

  it("does not copy the holder of a name: the same name is free in the other region", async () => {
    const { east, west, carry } = await regionsOf("Redis protocol", opened);
    carry(east, west);
    const a = east.log<number>("a");
    await a.append(1);
    await waitFor(async () => expect(await west.length("a")).toBe(1));
    await a.close();
    const moved = west.log<number>("a");
    expect(await moved.append(2)).toMatchObject({ seq: 2 });
  });

  it("costs few commands while nothing happens", async () => {
    const { east, west, carry } = await regionsOf("Redis protocol", opened);
    const a = east.log<number>("a");
    const { relay: one } = carry(east, west, { pollInterval: "100ms" });
    await a.append(1);
    await waitFor(async () => expect((await one.stats()).origins["a"]?.behind).toBe(0));
    const before = await Promise.all([east, west].map(({ redis }) => redis.commandStats()));
    await waitFor(async () => {
      const stats = await west.redis.commandStats();
      expect((stats["hgetall"] ?? 0) - (before[1]?.["hgetall"] ?? 0)).toBeGreaterThanOrEqual(10);
    });
    const after = await Promise.all([east, west].map(({ redis }) => redis.commandStats()));
    const cost = (at: number, name: string): number => (after[at]?.[name] ?? 0) - (before[at]?.[name] ?? 0);
    const looks = cost(1, "hgetall");
    // Each poll: HGETALL and TIME on both sides, XREAD at the source, and one XINFO per origin at the destination.
    expect(cost(0, "xread")).toBeLessThanOrEqual(looks + 2);
    expect(cost(1, "xinfo|stream")).toBeLessThanOrEqual(looks + 1);
    expect(cost(0, "xinfo|stream")).toBeLessThanOrEqual(2);
    expect(cost(1, "evalsha")).toBe(0);
  });

  it("relays between memory transports too", async () => {
    const [east, west] = [opened(memoryTransport()), opened(memoryTransport())];
    opened(relay({ transport: east }, { transport: west }, { pollInterval: "1s" }));
    const a = opened(new SyncLog<number>({ transport: east }, { instanceId: "a" }));
    const reading = opened(following(opened(new SyncLog<number>({ transport: west }, { instanceId: "b" }))));
    await a.appendMany(numbers(1, 120));
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 120)));
  });

  it("rejects invalid options before sending anything", () => {
    const transport = opened(memoryTransport());
    const other = opened(memoryTransport());
    expect(() => relay({ transport }, { transport })).toThrow(/two databases/);
    expect(() => relay({} as never, { transport })).toThrow(/Expected `from` to be a Cache/);
    expect(() => relay({ transport }, { transport: other }, { batch: 0 })).toThrow(/`batch`.*got 0/);
    expect(() => relay({ transport }, { transport: other }, { key: "a*" })).toThrow(/`key`/);
  });

  it("ends when its signal fires, or when a transport is closed", async () => {
    const [east, west] = [memoryTransport(), opened(memoryTransport())];
    const one = opened(relay({ transport: east }, { transport: west }, { signal: AbortSignal.abort() }));
    expect(one.state).toBe("closed");
    const other = opened(relay({ transport: east }, { transport: west }, { pollInterval: "50ms" }));
    await east.close();
    await waitFor(() => expect(other.state).toBe("closed"));
  });
});
