import { setImmediate as turn } from "node:timers/promises";
import { maxSliceSteps } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createExpiryQueue, type Expiry } from "../src/keyspace/expiry-queue.ts";
import { createKeyspace, type Keyspace, never } from "../src/keyspace/keyspace.ts";
import { createInsertionOrder } from "../src/values/insertion-order.ts";
import { createText } from "../src/values/stored-value.ts";

const keys = 20_000;
const value = createText("value");

function filled(now: () => number = () => 0, endOf: (at: number) => number = () => never): Keyspace {
  const keyspace = createKeyspace({ maxBytes: 1 << 30, now });
  for (let at = 0; at < keys; at++) keyspace.put(`key:${at}`, value, endOf(at));
  return keyspace;
}

/** How often something happens between two turns of the event loop at most, while some work is done. */
async function mostPerTurn(work: (count: () => void) => Promise<unknown>): Promise<number> {
  let [most, now] = [0, 0];
  let isOver = false;
  const turns = (async () => {
    for (; !isOver; now = 0) await turn();
  })();
  await work(() => {
    most = Math.max(most, ++now);
  });
  isOver = true;
  await turns;
  return most;
}

describe("removing keys by pattern", () => {
  it("looks at a bounded number of keys between two turns of the event loop", async () => {
    const keyspace = filled();
    let looked = 0;
    const most = await mostPerTurn((count) =>
      keyspace.removeWhere(() => {
        looked++;
        count();
        return true;
      }),
    );
    expect(looked).toBe(keys);
    expect(most).toBeLessThanOrEqual(maxSliceSteps);
    expect(keyspace.size()).toBe(0);
  });

  it("hides all of them at once, and keeps what is written meanwhile", async () => {
    const keyspace = filled();
    const removed = keyspace.removeWhere((key) => String(key).endsWith("1"));
    expect(keyspace.peek("key:1")).toBeUndefined();
    expect(keyspace.peek(`key:${keys - 9}`)).toBeUndefined();
    expect([...keyspace.keys()].includes("key:11")).toBe(false);
    expect(keyspace.page(0, 10_000_000).keys.length).toBe(keys * 0.9);
    keyspace.put("key:1", value, never);
    keyspace.put("new:1", value, never);
    await removed;
    expect(keyspace.peek("key:1")).toBeDefined();
    expect(keyspace.peek("new:1")).toBeDefined();
    expect(keyspace.size()).toBe(keys * 0.9 + 2);
  });

  it("is completed by writes if its own pauses never end", () => {
    const keyspace = filled();
    void keyspace.removeWhere((key) => String(key).startsWith("key:"));
    const usedBefore = keyspace.facts.usedBytes;
    for (let at = 0; at < keys / 50; at++) keyspace.put("other", value, never);
    expect(keyspace.facts.usedBytes).toBeLessThan(usedBefore / 1_000);
    expect([...keyspace.keys()]).toEqual(["other"]);
  });

  it("serves several patterns with one walk, also patterns that come meanwhile", async () => {
    const keyspace = filled();
    let looked = 0;
    const ending = (digit: string) => (key: unknown) => {
      looked++;
      return String(key).endsWith(digit);
    };
    await Promise.all(["1", "2", "3", "4"].map((digit) => keyspace.removeWhere(ending(digit))));
    expect(keyspace.size()).toBe(keys * 0.6);
    // Two walks over all keys, each looking for four patterns at the most.
    expect(looked).toBeLessThanOrEqual(2 * 4 * keys);
  });

  it("ends when all keys are removed at once, and leaves new ones alone", async () => {
    const keyspace = filled();
    const removed = keyspace.removeWhere(() => true);
    keyspace.clear();
    keyspace.put("new", value, never);
    await removed;
    expect([...keyspace.keys()]).toEqual(["new"]);
  });
});

describe("expired keys", () => {
  it("are not counted, though they are removed later", () => {
    let nowMs = 0;
    const keyspace = filled(
      () => nowMs,
      (at) => (at % 2 === 0 ? 10 : never),
    );
    expect(keyspace.facts.expiring).toBe(keys / 2);
    nowMs = 10;
    const used = keyspace.facts.usedBytes;
    expect(keyspace.size()).toBe(keys / 2);
    expect(keyspace.facts.expiring).toBe(0);
    expect(keyspace.facts.usedBytes).toBeGreaterThan(used * 0.9);
    expect([...keyspace.keys()].length).toBe(keys / 2);
    for (let at = 0; at < 100; at++) expect(Number(String(keyspace.random()).slice(4)) % 2).toBe(1);
    for (let at = 0; at < keys / 100; at++) keyspace.put("other", value, never);
    expect(keyspace.facts.expired).toBe(keys / 2);
    expect(keyspace.facts.usedBytes).toBeLessThan(used * 0.6);
  });

  it("leave nothing behind when their expiry is set again and again", () => {
    const keyspace = createKeyspace({ maxBytes: 1 << 30, now: () => 0 });
    for (let at = 0; at < 10_000; at++) keyspace.put(`key:${at % 10}`, value, 1_000 + at);
    expect(keyspace.facts.expiring).toBe(10);
    for (let at = 0; at < 10; at++) keyspace.put(`key:${at}`, value, never);
    expect(keyspace.facts.expiring).toBe(0);
  });
});

it("an expiry queue returns the soonest first while expiries are added, moved and removed", () => {
  const change = fc.record({ what: fc.constantFrom("add", "move", "remove", "due"), at: fc.nat(50), ms: fc.nat(30) });
  const property = fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
    const queue = createExpiryQueue();
    const model: Expiry[] = [];
    for (const [number, { what, at, ms }] of changes.entries()) {
      const one = model[at % Math.max(1, model.length)];
      if (what === "add") model.push(queue.set(`id${number}`, undefined, ms) as Expiry);
      else if (what === "move" && one) queue.set(one.id, one, ms);
      else if (what === "remove" && one) {
        queue.remove(one);
        model.splice(model.indexOf(one), 1);
      }
      const due = model.filter(({ atMs }) => atMs <= ms);
      expect(queue.size).toBe(model.length);
      expect(queue.countDue(ms)).toBe(due.length);
      expect(queue.due(ms)?.atMs).toBe(due.length === 0 ? undefined : Math.min(...due.map(({ atMs }) => atMs)));
    }
  });
  fc.assert(property, runs(500));
});

it("an order of many ids keeps its numbers ascending and its holes few for any order of removals", () => {
  const ways = {
    "oldest first": (all: number[]) => all,
    "newest first": (all: number[]) => all.reverse(),
    "every second": (all: number[]) => [...all.filter((at) => at % 2 === 0), ...all.filter((at) => at % 2 === 1)],
  };
  for (const [name, way] of Object.entries(ways)) {
    const order = createInsertionOrder();
    const numbers = Array.from({ length: 5_000 }, (_, at) => order.add(`id${at}`));
    const left = new Set(numbers.map((_, at) => `id${at}`));
    const walk = (): { ids: string[]; steps: number } => {
      const ids: string[] = [];
      let [cursor, steps] = [0, 0];
      do {
        const page = order.page(cursor, 10);
        ids.push(...page.ids);
        cursor = page.cursor;
        steps++;
      } while (cursor !== 0);
      return { ids, steps };
    };
    for (const [removed, at] of way(numbers.map((_, place) => place)).entries()) {
      // A few of each block stay.
      if (at % 100 === 7) continue;
      order.remove(numbers[at] as number);
      left.delete(`id${at}`);
      if (removed % 500 === 0) expect(new Set(walk().ids), name).toEqual(left);
    }
    const { ids, steps } = walk();
    expect(ids, name).toEqual([...left].reverse());
    expect(steps, name).toBeLessThan(50);
    expect(left.has(order.random() ?? "")).toBe(true);
  }
});
