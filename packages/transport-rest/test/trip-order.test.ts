import type { Command } from "@continuum-cache/core";
import { createKeyOrder, type KeyTurn } from "@continuum-cache/core/kit";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { afterEach, expect, test, vi } from "vitest";
import { createTripOrder } from "../src/trip/trip-order.ts";

afterEach(() => vi.unstubAllGlobals());

/** Numbers that look random, the same for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

const kinds: readonly ((key: string, other: string) => Command)[] = [
  (key) => ["GET", key],
  (key) => ["GET", key],
  (key, other) => ["MGET", key, other],
  (key) => ["SET", key, "v"],
  (key, other) => ["DEL", key, other],
  (key) => ["PUBLISH", key, "m"],
  () => ["PING"],
  () => ["SCAN", 0],
  () => ["FLUSHDB"],
];

/** Enters and ends trips as the numbers say, and returns which of them could travel after each step. */
async function history(order: Pick<ReturnType<typeof createTripOrder>, "enter">, seed: number): Promise<number[][]> {
  const next = numbers(seed);
  const open: { readonly id: number; readonly place: KeyTurn; travels: boolean }[] = [];
  const steps: number[][] = [];
  for (let id = 0; id < 60; id++) {
    const size = next(3) + 1;
    const commands = Array.from({ length: size }, () => kinds[next(kinds.length)]?.(`k${next(3)}`, `k${next(3)}`));
    const place = order.enter(
      commands.filter((command) => command !== undefined),
      60_000,
    );
    const trip = { id, place, travels: !place.mustWait };
    open.push(trip);
    if (place.mustWait) {
      void place.turn().then(() => {
        trip.travels = true;
      });
    }
    for (let ends = next(3); ends > 0; ends--) {
      const travelling = open.filter(({ travels }) => travels);
      const ended = travelling[next(travelling.length)];
      if (!ended) break;
      ended.place.leave();
      ended.place.leave();
      open.splice(open.indexOf(ended), 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    steps.push(open.filter(({ travels }) => travels).map((each) => each.id));
  }
  return steps;
}

test("trips travel in the same order as when each of them takes its place at once", async () => {
  for (let seed = testSeed; seed < testSeed + scaled(200); seed++) {
    expect(await history(createTripOrder(), seed), `seed ${seed}`).toEqual(await history(createKeyOrder(), seed));
  }
});

test("a write waits for a read that came before it, and a read for that write", async () => {
  const order = createTripOrder();
  const read = order.enter([["GET", "a"]], 60_000);
  const other = order.enter([["MGET", "b", "c"]], 60_000);
  const write = order.enter([["SET", "a", "1"]], 60_000);
  const later = order.enter([["GET", "a"]], 60_000);
  expect([read, other, write, later].map(({ mustWait }) => mustWait)).toEqual([false, false, true, true]);
  read.leave();
  expect(await write.turn()).toBe(true);
  write.leave();
  expect(await later.turn()).toBe(true);
});

test("a trip that is alone, and trips that only read, are not looked at", () => {
  const order = createTripOrder();
  const looked: string[] = [];
  const watched = (...command: [string, ...string[]]): Command =>
    new Proxy<Command>(command, {
      get(target, name) {
        if (name === "1" || name === "slice") looked.push(target[0]);
        return Reflect.get(target, name);
      },
    });
  order.enter([watched("SET", "a", "1")], 60_000).leave();
  const reads = ["a", "a", "b"].map((key) => order.enter([watched("GET", key)], 60_000));
  expect(looked).toEqual([]);
  const write = order.enter([watched("SET", "b", "1")], 60_000);
  expect(new Set(looked)).toEqual(new Set(["GET", "SET"]));
  expect(write.mustWait).toBe(true);
  for (const place of [...reads, write]) place.leave();
  looked.length = 0;
  order.enter([watched("SET", "a", "1")], 60_000);
  expect(looked).toEqual([]);
});

test("later trips pass one that has not left by its deadline", async () => {
  const order = createTripOrder();
  order.enter([["SET", "a", "1"]], 30);
  expect(await order.enter([["SET", "a", "2"]], 60_000).turn()).toBe(true);
});

test("on the edge each trip takes its place with its own request", async () => {
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
  const order = createTripOrder();
  const timers = vi.spyOn(globalThis, "setTimeout");
  order.enter([["GET", "a"]], 60_000).leave();
  // The timer by which a place is renewed belongs to the request that has made it.
  expect(timers).toHaveBeenCalledTimes(1);
  timers.mockRestore();
});
