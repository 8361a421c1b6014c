import { setImmediate as turn } from "node:timers/promises";
import type { Command } from "@continuum-cache/core";
import { maxSliceSteps } from "@continuum-cache/core/kit";
import { type JournalStore, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createJournalLog } from "../src/journal/journal-log.ts";
import { decodeRecord, encodeRecord, type JournalRecord } from "../src/journal/journal-record.ts";
import { createSnapshotMap } from "../src/journal/snapshot-map.ts";
import { contents } from "./contents.ts";
import { switchable } from "./switchable.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A store in memory that tells of its rewrites. */
function keeping(kept: Uint8Array[] = []) {
  const rewrites: number[] = [];
  const store: JournalStore = {
    read: async () => [...kept],
    append: async (records) => void kept.push(...records),
    async rewrite(records) {
      rewrites.push(records.length);
      kept.splice(0, kept.length, ...records);
    },
    close: async () => {},
  };
  return { store, kept, rewrites };
}

it("copies a map as it was when the copy began, in its order, while it changes", () => {
  const change = fc.record({
    what: fc.constantFrom("set", "delete", "begin", "more", "more", "seal"),
    id: fc.integer({ min: 0, max: 20 }).map(String),
    value: fc.nat(),
  });
  const property = fc.property(fc.array(change, { maxLength: 100 }), (changes) => {
    const map = createSnapshotMap<number>();
    const model = new Map<string, number>();
    let copied = new Map<string, number>();
    let wanted = new Map<string, number>();
    let isUnderway = false;
    let isSealed = false;
    for (const { what, id, value } of changes) {
      if (what === "set" && !isSealed) {
        map.set(id, value);
        model.delete(id);
        model.set(id, value);
      } else if (what === "delete" && !isSealed) {
        map.delete(id);
        model.delete(id);
      } else if (what === "begin") {
        const own = new Map<string, number>();
        copied = own;
        wanted = new Map(model);
        isUnderway = true;
        map.beginCopy((one, found) => {
          expect(own.has(one)).toBe(false);
          own.set(one, found);
        });
      } else if (what === "more") {
        if (isUnderway && !map.copyMore(1 + (value % 4))) {
          isUnderway = false;
          expect(new Map(copied)).toEqual(wanted);
        }
      } else if (what === "seal") {
        isSealed ||= value % 8 === 0;
        if (isSealed) map.seal();
      }
      expect([...map.entries()]).toEqual([...model]);
      expect(map.size).toBe(model.size);
      expect(map.get(id)).toBe(model.get(id));
    }
  });
  fc.assert(property, runs(300));
});

it("reads a sealed map without gaps while it is copied", () => {
  const map = createSnapshotMap<number>();
  for (let at = 0; at < 100; at++) map.set(`key:${at}`, at);
  map.beginCopy(() => {});
  map.copyMore(10);
  map.seal();
  const read: number[] = [];
  for (const value of map.values()) {
    read.push(value);
    map.copyMore(3);
  }
  expect(read).toEqual(Array.from({ length: 100 }, (_, at) => at));
});

describe("rewriting the store", () => {
  it("copies a bounded number of keys per turn of the event loop, and appends later records", async () => {
    const { store, kept, rewrites } = keeping();
    const invalidate = (glob: string): JournalRecord => ({ kind: "invalidate", glob });
    let [left, inTurn, most] = [20_000, 0, 0];
    const log = createJournalLog({
      store,
      isEmpty: () => false,
      beginCopy: () => ({
        more(keys) {
          left -= keys;
          inTurn += keys;
          most = Math.max(most, inTurn);
          return left > 0;
        },
        encoded: () => [new TextEncoder().encode(JSON.stringify(invalidate("copied")))],
      }),
      onFailure: (error) => expect.fail(error.message),
    });
    log.add(invalidate("x".repeat(9 << 20)));
    await log.flush();
    for (let at = 0; rewrites.length === 0; at++) {
      inTurn = 0;
      log.add(invalidate(`meanwhile:${at}`));
      await log.flush();
      // It is durable before the rewrite is.
      if (rewrites.length === 0) expect(decodeRecord(kept.at(-1) as Uint8Array)).toEqual(invalidate(`meanwhile:${at}`));
      await turn();
    }
    expect(most).toBeLessThanOrEqual(maxSliceSteps);
    const globs = kept.map((bytes) => decodeRecord(bytes)).map((record) => "glob" in record && record.glob);
    expect(globs[0]).toBe("copied");
    expect(globs[1]).toBe("meanwhile:0");
    expect(globs).toHaveLength(rewrites[0] ?? 0);
  });

  it("rewrites the store after a failed append, though a later append succeeded", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { store, kept, rewrites } = keeping();
    const failures: Error[] = [];
    const records = ["first", "second", "third"].map((glob): JournalRecord => ({ kind: "invalidate", glob }));
    let isBroken = true;
    const log = createJournalLog({
      store: { ...store, append: (bytes) => (isBroken ? Promise.reject(new Error("disk full")) : store.append(bytes)) },
      isEmpty: () => false,
      beginCopy: () => ({ more: () => false, encoded: () => records.map(encodeRecord) }),
      onFailure: (error) => failures.push(error),
    });
    log.add(records[0] as JournalRecord);
    const first = log.flush();
    isBroken = false;
    log.add(records[1] as JournalRecord);
    await Promise.all([first, log.flush()]);
    expect(kept.map(decodeRecord)).toEqual([records[1]]);
    vi.advanceTimersByTime(5_000);
    log.add(records[2] as JournalRecord);
    await log.flush();
    expect(rewrites).toEqual([3]);
    expect(kept.map(decodeRecord)).toEqual(records);
    expect(failures).toHaveLength(1);
  });

  it("waits for a rewrite in progress if the store has failed meanwhile", async () => {
    const { store, kept, rewrites } = keeping();
    let left = 3;
    let isBroken = false;
    const log = createJournalLog({
      store: { ...store, append: (bytes) => (isBroken ? Promise.reject(new Error("disk full")) : store.append(bytes)) },
      isEmpty: () => false,
      beginCopy: () => ({ more: () => left-- > 0, encoded: () => [] }),
      onFailure: () => {},
    });
    // A step of this copy is a slice of its own.
    vi.spyOn(performance, "now").mockImplementation(
      (
        (atMs) => () =>
          (atMs += 10)
      )(0),
    );
    log.add({ kind: "invalidate", glob: "x".repeat(9 << 20) });
    await log.flush();
    isBroken = true;
    log.add({ kind: "invalidate", glob: "while the disk was full" });
    await log.flush();
    await log.flush();
    expect(rewrites).toEqual([1]);
    expect(kept.map(decodeRecord)).toEqual([{ kind: "invalidate", glob: "while the disk was full" }]);
  });

  it("loses nothing and repeats nothing while writes go on", async () => {
    const { store, kept, rewrites } = keeping();
    const primary = switchable();
    const local = memoryTransport();
    const transport = withFallback(primary, local, { healthCheckInterval: "1h", journal: { store } });
    primary.fail("unreachable", { delivery: "none" });
    const filler = "v".repeat(300);
    const write = (id: number): Command => {
      if (id % 3 === 0) return ["INCRBY", `n:${id}`, id];
      return id % 3 === 1 ? ["RPUSH", `l:${id}`, filler] : ["SET", `s:${id}`, filler + filler];
    };
    for (let at = 0; at < 24_000; at += 100) {
      await transport.send(Array.from({ length: 100 }, (_, more) => write(at + more)));
      // Earlier keys change all the time: some are copied already when the store is written anew, and some are not.
      const earlier = Array.from({ length: 10 }, (_, step) => Math.floor((at * step) / 30) * 3);
      await transport.send(
        earlier.flatMap((id): Command[] => [
          ["INCRBY", `n:${id}`, 1],
          ["RPUSH", `l:${id + 1}`, "more"],
          ["SET", `s:${id + 2}`, "changed"],
        ]),
      );
      await transport.send([["DEL", `n:${earlier[3]}`, `l:${(earlier[4] ?? 0) + 1}`]]);
      if (at % 1_000 === 0) await transport.send([["UNLINK", "other"]], { invalidates: [`s:${earlier[5]}*`] });
      await turn();
    }
    // On a busy machine the rewrite ends after the last write.
    await expect.poll(() => rewrites).not.toEqual([]);

    const later = switchable();
    later.fail("unreachable", { delivery: "none" });
    const again = memoryTransport();
    const second = withFallback(later, again, {
      healthCheckInterval: "50ms",
      journal: { store: keeping([...kept]).store },
    });
    await second.send([["PING"]], { timeoutMs: 100_000 });
    const wanted = await contents(local);
    expect(await contents(again)).toEqual(wanted);
    later.restore();
    await expect.poll(() => second.status?.currentBackend).toBe("upstash");
    expect(second.status?.pending).toBe(0);
    expect(await contents(later.store)).toEqual(wanted);
    await second.close();
    await transport.close();
  });
});
