import type { Command } from "@continuum-cache/core";
import { createKeyOrder } from "@continuum-cache/core/kit";
import { isLongRun, runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { onTheEdge, vanishing } from "../edge.ts";
import { exploreClaims } from "./claim-model.ts";

describe("every interleaving of calls that may vanish at any step", () => {
  const deadlines = isLongRun
    ? [
        [2, 2, 2],
        [1, 3, 2],
        [3, 1, 1],
      ]
    : [[3, 1, 1]];

  it.each(deadlines.map((timeouts) => [timeouts]))(
    "with deadlines of %j: none waits too long, two are never at work, and lost work is taken over",
    (timeouts) => {
      const { states, broken } = exploreClaims(timeouts, { claimsExpire: true, waitersHaveTimers: true });
      expect(broken).toBeUndefined();
      expect(states).toBeGreaterThan(1_000);
    },
  );

  it("is not safe where claims do not expire: what a vanished call held is never taken over", () => {
    const rules = { claimsExpire: false, waitersHaveTimers: true };
    expect(exploreClaims([2, 2], rules).broken).toBe("vanished work is never taken over");
  });

  it("is not safe where a waiting call relies on the owner's timer: it waits beyond its own deadline", () => {
    const rules = { claimsExpire: true, waitersHaveTimers: false };
    expect(exploreClaims([3, 1], rules).broken).toBe("a call waits beyond its deadline");
  });
});

describe("the order of keys where trips vanish", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTheEdge();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  const key = fc.constantFrom("a", "b");
  const command = fc.oneof(
    key.map((name): Command => ["GET", name]),
    key.map((name): Command => ["INCR", name]),
    fc.constant<Command>(["FLUSHDB"]),
  );
  const trip = fc.record({
    commands: fc.array(command, { minLength: 1, maxLength: 2 }),
    afterMs: fc.nat(300),
    workMs: fc.nat(200),
    vanishes: fc.boolean(),
  });
  const timeoutMs = 1_000;

  it("lets each trip that is there go within its deadline, and never two at once that touch the same key", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(trip, { minLength: 1, maxLength: 8 }), async (trips) => {
        const order = createKeyOrder();
        const atWork = new Set<readonly Command[]>();
        const late: number[] = [];
        const touches = (one: readonly Command[], two: readonly Command[]): boolean =>
          one.some(([a, onA]) =>
            two.some(([b, onB]) => (a !== "GET" || b !== "GET") && (a === "FLUSHDB" || b === "FLUSHDB" || onA === onB)),
          );
        const go = async ({ commands, workMs }: (typeof trips)[number], at: number): Promise<void> => {
          const place = order.enter(commands, timeoutMs);
          if (place.mustWait && !(await place.turn({ timeoutMs }))) late.push(at);
          expect([...atWork].filter((other) => touches(other, commands))).toEqual([]);
          atWork.add(commands);
          await new Promise((resolve) => setTimeout(resolve, workMs));
          atWork.delete(commands);
          place.leave();
        };
        const going: Promise<void>[] = [];
        for (const [at, one] of trips.entries()) {
          await vi.advanceTimersByTimeAsync(one.afterMs);
          if (one.vanishes) vanishing(() => void order.enter(one.commands, timeoutMs));
          else going.push(go(one, at));
        }
        await vi.advanceTimersByTimeAsync(2_500);
        await Promise.all(going);
        // Eight trips that follow each other may need more than one deadline; vanished ones must not add to that.
        const works = trips.filter(({ vanishes }) => !vanishes).reduce((sum, { workMs }) => sum + workMs, 0);
        if (works + trips.length * 150 < timeoutMs) expect(late).toEqual([]);
        const last = order.enter([["FLUSHDB"]], timeoutMs);
        expect(last.mustWait).toBe(false);
        last.leave();
      }),
      runs(40),
    );
  });
});
