import type { BackendFailure, Command } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

/** Ten million in the measured run. */
const operations = Number(process.env["JOURNAL_OPERATIONS"] ?? 500_000);
const bounds = { maxEntries: 5_000, maxBytes: 1 << 20 };
const memoryBytes = 4 << 20;

const open = () => {
  const primary = switchable();
  const transport = withFallback(primary, memoryTransport({ maxBytes: memoryBytes }), {
    healthCheckInterval: "20ms",
    journal: bounds,
  });
  const failures: BackendFailure[] = [];
  transport.status?.onFailure?.((failure) => failures.push(failure));
  return { primary, transport, failures };
};
const recovered = async (transport: ReturnType<typeof open>["transport"]): Promise<void> => {
  await expect.poll(() => transport.status?.currentBackend, { timeout: 30_000, interval: 20 }).toBe("upstash");
  expect(transport.status?.pending).toBe(0);
};

describe("an outage journal that is full", () => {
  it("stays within its bounds whatever comes, and forgets no delete", { timeout: 900_000 }, async () => {
    const { primary, transport, failures } = open();
    const families = ["user", "order:eu", "order:us", "plain"];
    const name = (id: number) => `${families[id % families.length]}:${id}`;
    const watched = Array.from({ length: 200 }, (_, at) => name(at * 7));
    await primary.store.send(watched.map((key): Command => ["SET", key, "old"]));
    primary.fail("unreachable", { delivery: "none" });

    const last = new Map<string, "set" | "deleted">();
    let seed = 1;
    const below = (limit: number): number => {
      seed = (Math.imul(seed, 48_271) >>> 0) % 2_147_483_647;
      return seed % limit;
    };
    const value = "x".repeat(120);
    let most = { entries: 0, bytes: 0 };
    for (let done = 0; done < operations; done += 500) {
      const trip = Array.from({ length: 500 }, (): Command => {
        const key = below(50) === 0 ? (watched[below(watched.length)] as string) : name(below(3_000_000));
        const isSet = below(2) === 0;
        if (watched.includes(key)) last.set(key, isSet ? "set" : "deleted");
        return isSet ? ["SET", key, value] : ["DEL", key];
      });
      await transport.send(trip);
      const { entries = 0, bytes = 0 } = transport.status?.outage?.journal ?? {};
      most = { entries: Math.max(most.entries, entries), bytes: Math.max(most.bytes, bytes) };
    }
    expect(most.entries).toBeLessThanOrEqual(bounds.maxEntries);
    expect(most.bytes).toBeLessThanOrEqual(bounds.maxBytes);
    expect(most.entries).toBeGreaterThan(bounds.maxEntries / 4);
    const [info] = await transport.send([["INFO", "memory"]]);
    expect(Number(/used_memory:(\d+)/.exec(String(info))?.[1])).toBeLessThanOrEqual(memoryBytes);
    expect(transport.status?.outage?.dropped).toBeGreaterThan(0);
    expect(failures.map(({ error }) => error.message).join("\n")).toMatch(/journal is full: .*single deletes became/);

    primary.mend();
    await recovered(transport);
    for (const [key, state] of last) {
      const [found] = await transport.send([["GET", key]]);
      // A set may have been given up for a miss; what was there before is gone in any case.
      expect([key, found === value ? "set" : found === null ? "deleted" : "old"]).toEqual([
        key,
        found === null ? "deleted" : state,
      ]);
    }
    await transport.close();
  });

  it("gives up values before deletes, and the oldest first", async () => {
    const { primary, transport } = open();
    await primary.store.send([
      ["SET", "gone", "old"],
      ["SET", "overwritten", "old"],
    ]);
    primary.fail("unreachable", { delivery: "none" });
    await transport.send([
      ["DEL", "gone"],
      ["SET", "overwritten", "new"],
    ]);
    for (let at = 0; at < 40; at++) await transport.send([["SET", `big:${at}`, "x".repeat(40_000)]]);
    expect(transport.status?.outage?.dropped).toBeGreaterThan(0);
    primary.mend();
    await recovered(transport);
    expect(await transport.send([["MGET", "gone", "overwritten", "big:0", "big:39"]])).toEqual([
      [null, null, null, "x".repeat(40_000)],
    ]);
    await transport.close();
  });

  it("makes many patterns few, and each only as coarse as it must be", async () => {
    const { primary, transport } = open();
    await primary.store.send([
      ["SET", "app:cart:77:x", "old"],
      ["SET", "app:other", "kept"],
      ["SET", "elsewhere", "kept"],
    ]);
    primary.fail("unreachable", { delivery: "none" });
    for (let at = 0; at < 500; at++) await transport.send([["PING"]], { invalidates: [`app:cart:${at}:*`] });
    expect(transport.status?.outage?.journal.entries).toBeLessThanOrEqual(100);
    primary.mend();
    await recovered(transport);
    expect(await transport.send([["MGET", "app:cart:77:x", "app:other", "elsewhere"]])).toEqual([
      [null, "kept", "kept"],
    ]);
    await transport.close();
  });

  it("drops differences last, and says so", async () => {
    const { primary, transport, failures } = open();
    primary.fail("unreachable", { delivery: "none" });
    for (let at = 0; at < 60; at++) await transport.send([["RPUSH", `queue:${at}`, "x".repeat(40_000)]]);
    expect(transport.status?.outage?.journal.bytes).toBeLessThanOrEqual(bounds.maxBytes);
    expect(failures.at(-1)).toMatchObject({ operation: "journal" });
    expect(failures.at(-1)?.error.message).toMatch(/changes of counters, lists or hashes were dropped/);
    primary.mend();
    await recovered(transport);
    const lengths = await transport.send([
      ["LLEN", "queue:0"],
      ["LLEN", "queue:59"],
    ]);
    expect(lengths).toEqual([0, 1]);
    await transport.close();
  });
});
