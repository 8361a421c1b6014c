import { type Command, isTransportError, type Recovery } from "@continuum-cache/core";
import { type BackendFailure, defineScript, type KeptWrite } from "@continuum-cache/core/kit";
import { type FallbackOptions, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { scaled } from "@continuum-cache/test-scale";
import { describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

/** Fewer would not fill the journal. Ten million in the measured run. */
const operations = scaled(100_000, 50_000);
const bounds = { maxEntries: 5_000, maxBytes: 1 << 20 };

const open = (journal: FallbackOptions["journal"] = bounds) => {
  const primary = switchable();
  const transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "20ms", journal });
  const failures: BackendFailure[] = [];
  const kept: KeptWrite[] = [];
  const recoveries: Recovery[] = [];
  transport.status?.onFailure?.((failure) => failures.push(failure));
  transport.status?.onKept?.((write) => kept.push(write));
  transport.status?.onChange(({ recovery }) => recovery && recoveries.push(recovery));
  const back = async (): Promise<Recovery> => {
    primary.restore();
    await expect.poll(() => transport.status?.currentBackend, { timeout: 60_000, interval: 20 }).toBe("upstash");
    expect(transport.status?.pending).toBe(0);
    return recoveries.at(-1) as Recovery;
  };
  /** Every mutation that was accepted, and what was said to have become of it. */
  const expectAllAccountedFor = ({ replayed, superseded, dropped }: Recovery): void => {
    expect(replayed + superseded + dropped).toBe(kept.reduce((all, { mutations }) => all + mutations, 0));
    expect(Math.min(replayed, superseded, dropped)).toBeGreaterThanOrEqual(0);
  };
  return { primary, transport, failures, back, expectAllAccountedFor };
};
const accepted = (trip: Promise<unknown>): Promise<boolean> =>
  trip.then(
    () => true,
    (error) => {
      if (!isTransportError(error)) throw error;
      expect([error.kind, error.delivery, error.message]).toEqual([
        "unreachable",
        "none",
        expect.stringContaining("journal is full"),
      ]);
      return false;
    },
  );
const keysLeft = async ({ store }: ReturnType<typeof switchable>): Promise<unknown> => {
  const [keys] = await store.send([["KEYS", "*"]]);
  return [...(keys as string[])].sort();
};

describe("an outage journal that is full", () => {
  it("refuses what it has no room for, whole trips, and keeps all that it has accepted", async () => {
    const { primary, transport, failures, back, expectAllAccountedFor } = open();
    const names = ["user", "order:eu", "order:us", "plain"];
    const name = (id: number) => `${names[id % names.length]}:${id}`;
    const others = Array.from({ length: 500 }, (_, at) => `${names[at % 4]}:of-others:${at}`);
    await primary.store.send(others.map((key): Command => ["SET", key, "precious"]));
    primary.fail("unreachable", { delivery: "none" });

    const last = new Map<string, "set" | "deleted">();
    let seed = 1;
    const below = (limit: number): number => {
      seed = (Math.imul(seed, 48_271) >>> 0) % 2_147_483_647;
      return seed % limit;
    };
    const value = "x".repeat(120);
    let most = { entries: 0, bytes: 0 };
    let refused = 0;
    for (let done = 0; done < operations; done += 50) {
      const trip = Array.from({ length: 50 }, (): Command => {
        const key = name(below(20_000));
        return below(3) === 0 ? ["SET", key, value] : ["DEL", key];
      });
      if (await accepted(transport.send(trip))) {
        for (const [verb, key] of trip) last.set(String(key), verb === "SET" ? "set" : "deleted");
      } else refused++;
      const { entries = 0, bytes = 0 } = transport.status?.outage?.journal ?? {};
      most = { entries: Math.max(most.entries, entries), bytes: Math.max(most.bytes, bytes) };
    }
    expect(most.entries).toBeLessThanOrEqual(bounds.maxEntries);
    expect(most.bytes).toBeLessThanOrEqual(bounds.maxBytes);
    expect(most.bytes).toBeGreaterThan(bounds.maxBytes * 0.85);
    expect(refused).toBeGreaterThan(0);
    expect(failures.map(({ error }) => error.message)).toContainEqual(expect.stringContaining("journal is full"));

    const recovery = await back();
    expectAllAccountedFor(recovery);
    expect(recovery).toMatchObject({ superseded: 0, dropped: 0 });
    const set = [...last].filter(([, state]) => state === "set").map(([key]) => key);
    expect(await keysLeft(primary)).toEqual([...set, ...others].sort());
    await transport.close();
  });

  it("still accepts deletes of its keys and answers reads, and accepts writes when the primary is back", async () => {
    const { primary, transport, failures, back, expectAllAccountedFor } = open({ maxEntries: 20 });
    primary.fail("unreachable", { delivery: "none" });
    for (let at = 0; at < 20; at++) expect(await accepted(transport.send([["SET", `key:${at}`, "1"]]))).toBe(true);
    expect(await accepted(transport.send([["SET", "key:20", "1"]]))).toBe(false);
    expect(await accepted(transport.send([["DEL", "other"]]))).toBe(false);
    expect(await accepted(transport.send([["PING"]], { invalidates: ["other:*"] }))).toBe(false);
    expect(await transport.send([["MGET", "key:0", "key:20"]])).toEqual([["1", null]]);
    expect(await transport.send([["DEL", "key:3"]])).toEqual([1]);
    expect(await transport.send([["INCR", "key:4"]])).toEqual([2]);
    expect(failures).toHaveLength(1);
    expectAllAccountedFor(await back());
    expect(await transport.send([["SET", "key:20", "2"]])).toEqual(["OK"]);
    expect(await transport.send([["MGET", "key:3", "key:4", "key:20"]])).toEqual([[null, "2", "2"]]);
    await transport.close();
  });

  it("holds hundreds of thousands of deletes", async () => {
    const { primary, transport, back } = open({});
    await primary.store.send([
      ["SET", "session:999", "old"],
      ["SET", "session:x", "of others"],
    ]);
    primary.fail("unreachable", { delivery: "none" });
    const deletes = scaled(200) * 1_000;
    for (let at = 0; at < deletes; at += 1_000) {
      await transport.send(Array.from({ length: 1_000 }, (_, more): Command => ["DEL", `session:${at + more}`]));
    }
    expect(transport.status?.pending).toBe(deletes);
    expect(await back()).toEqual({ replayed: deletes, superseded: 0, dropped: 0 });
    expect(await keysLeft(primary)).toEqual(["session:x"]);
    await transport.close();
  });
});

describe("what recovery deletes", () => {
  it("is exactly the keys that match the callers' patterns, however many there are", async () => {
    const { primary, transport, back, expectAllAccountedFor } = open({});
    const theirs = ["app:cart:other:x", "app:settings", "elsewhere", "queue"];
    await primary.store.send([
      ...theirs.map((key): Command => ["SET", key, "kept"]),
      ...Array.from({ length: 500 }, (_, at): Command => ["SET", `${at % 26}app:cart:${at}:x`, "old"]),
    ]);
    primary.fail("unreachable", { delivery: "none" });
    for (let at = 0; at < 500; at++) {
      await transport.send([["PING"]], { invalidates: [`${at % 26}app:cart:${at}:*`] });
    }
    expectAllAccountedFor(await back());
    expect(await keysLeft(primary)).toEqual([...theirs].sort());
    expect(primary.sent.filter(([name]) => name.startsWith("FLUSH"))).toEqual([]);
    await transport.close();
  });

  it("is never everything: FLUSHDB and FLUSHALL are refused while local, in scripts too", async () => {
    const flush = defineScript({
      name: "flush",
      keys: 0,
      lua: 'return redis.call("FLUSHDB")',
      memory: ({ call }) => call("FLUSHDB"),
    });
    const { primary, transport, back } = open({});
    await primary.store.send([["SET", "of others", "kept"]]);
    primary.fail("unreachable", { delivery: "none" });
    await transport.send([["SET", "own", "1"]]);
    const trips: readonly (readonly Command[])[] = [[["FLUSHDB"]], [["get", "own"], ["flushall"]]];
    for (const trip of trips) {
      for (const atomic of [true, false]) {
        const details = { name: "TransportError", kind: "unreachable", delivery: "none" };
        await expect(transport.send(trip, { atomic })).rejects.toMatchObject(details);
      }
    }
    expect(await transport.send([["GET", "own"]])).toEqual(["1"]);
    await expect(transport.send([["EVAL", flush.lua, 0]])).rejects.toMatchObject({ name: "TransportError" });
    await back();
    expect(await keysLeft(primary)).toEqual(["of others", "own"]);
    expect(await transport.send([["FLUSHDB"]])).toEqual(["OK"]);
    expect(await keysLeft(primary)).toEqual([]);
    await transport.close();
  });

  it("spares keys of others that a pattern of this process does not match", async () => {
    const { primary, transport, back, expectAllAccountedFor } = open({});
    await primary.store.send([["MSET", "a:1", "old", "a:2", "old", "b:1", "old"]]);
    primary.fail("unreachable", { delivery: "none" });
    await transport.send([["MSET", "a:1", "new", "b:1", "new"]]);
    await transport.send([["PING"]], { invalidates: ["a:?"] });
    await transport.send([["SET", "a:3", "newer"]]);
    expect(await transport.send([["DEL", "a:3"]])).toEqual([1]);
    await transport.send([["SET", "a:2", "newest"]]);
    expectAllAccountedFor(await back());
    // What this process knows nothing of gives way to what stands there.
    expect(await primary.store.send([["MGET", "a:1", "a:2", "a:3", "b:1"]])).toEqual([[null, "newest", null, "old"]]);
    await transport.close();
  });
});

describe("the report of a recovery", () => {
  it("accounts for every mutation: folded, cancelled out, superseded, refused", async () => {
    const { primary, transport, failures, back, expectAllAccountedFor } = open({});
    await primary.store.send([
      ["SET", "theirs", "newer"],
      ["SET", "text", "no number"],
      ["RPUSH", "list", "a"],
    ]);
    primary.fail("unreachable", { delivery: "none" });
    // Three sets of one key, of which nothing is told but the last.
    for (const value of ["1", "2", "3"]) await transport.send([["SET", "own", value]]);
    // Two that give way together.
    for (const value of ["1", "2"]) await transport.send([["SET", "theirs", value]]);
    // Three that Redis refuses in one command, and one of two.
    for (let at = 0; at < 3; at++) await transport.send([["INCR", "text"]]);
    await transport.send([["RPUSH", "list", "b"]]);
    await transport.send([["EXPIRE", "list", 1_000]]);
    // Two that come to nothing.
    await transport.send([["RPUSH", "queue", "x"]]);
    await transport.send([["LPOP", "queue"]]);
    await transport.send([["DEL", "gone", "gone", "own:2"]]);
    const recovery = await back();
    expect(recovery).toEqual({ replayed: 3 + 2 + 2 + 3, superseded: 2, dropped: 3 });
    expectAllAccountedFor(recovery);
    expect(failures.map(({ operation, key }) => [operation, key])).toEqual([["replay", "text"]]);
    expect(
      await primary.store.send([
        ["GET", "own"],
        ["LRANGE", "list", 0, -1],
      ]),
    ).toEqual(["3", ["a", "b"]]);
    await transport.close();
  });
});
