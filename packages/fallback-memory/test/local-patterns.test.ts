import { setImmediate as turn } from "node:timers/promises";
import type { Command, Transport } from "@continuum-cache/core";
import { deletePattern } from "@continuum-cache/core/kit";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { watchMaps } from "@continuum-cache/test-scale/watched-maps";
import { describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

const keys = 40_000;
const fill = async (transport: Transport): Promise<void> => {
  for (let at = 0; at < keys; at += 1_000) {
    await transport.send(Array.from({ length: 1_000 }, (_, more): Command => ["SET", `key:${at + more}`, "1"]));
  }
};
const invalidate = (transport: Transport, glob: string, fallback = true): Promise<number> =>
  deletePattern((commands) => transport.send(commands, { invalidates: [glob], fallback }), glob, {});

/** How many turns the event loop makes for others while some work is done. */
async function turnsDuring<Result>(work: () => Promise<Result>): Promise<{ turns: number; result: Result }> {
  let turns = 0;
  let isOver = false;
  const counting = (async () => {
    for (; !isOver; turns++) await turn();
  })();
  const result = await work();
  isOver = true;
  await counting;
  return { turns, result };
}

describe("a deletion by pattern of 40,000 keys", () => {
  it("lets others have their turns while local, whether it finds anything or not", async () => {
    const primary = switchable();
    const transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "1h" });
    primary.fail("unreachable", { delivery: "none" });
    await fill(transport);
    const missing = await turnsDuring(() => invalidate(transport, "other:*"));
    expect(missing.result).toBe(0);
    expect(missing.turns).toBeGreaterThan(1);
    const found = await turnsDuring(() => invalidate(transport, "key:*"));
    expect(found.result).toBe(keys);
    expect(found.turns).toBeGreaterThan(2);
    expect(transport.status?.outage?.journal.entries).toBe(2);
    await transport.close();
  });

  it("lets other calls run in a memory without a primary", async () => {
    const memory = memoryTransport();
    await fill(memory);
    const { turns, result } = await turnsDuring(() => invalidate(memory, "key:*"));
    expect(result).toBe(keys);
    expect(turns).toBeGreaterThan(2);
  });

  it("looks at each pending change once, however many steps the scan takes", async () => {
    const primary = switchable();
    const transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "1h" });
    primary.fail("unreachable", { delivery: "none" });
    await fill(transport);
    const { outage } = transport.status ?? {};
    expect(outage?.journal.entries).toBe(keys);
    const walk = await watchMaps(() => invalidate(transport, "other:*"));
    // Were each step of the walk to look at all changes, these would be a hundred times as many.
    expect(walk.steps).toBeGreaterThanOrEqual(keys);
    expect(walk.steps).toBeLessThan(10 * keys);
    await transport.close();
  });

  it("with fallback: false deletes the local keys too, in slices", async () => {
    const primary = switchable();
    const local = memoryTransport();
    const transport = withFallback(primary, local, { healthCheckInterval: "1h" });
    primary.fail("unreachable", { delivery: "none" });
    await transport.send([["PING"]]);
    await fill(local);
    primary.restore();
    const { turns } = await turnsDuring(() => invalidate(transport, "key:*", false));
    expect(turns).toBeGreaterThan(1);
    expect(await local.send([["DBSIZE"]])).toEqual([0]);
    await transport.close();
  });
});
