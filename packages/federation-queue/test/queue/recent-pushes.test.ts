import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { expect, it } from "vitest";

import { plainPush } from "../../src/queue/pending-push.ts";
import { toLines } from "../../src/queue/push-scripts.ts";
import {
  AcceptedLines,
  type AcceptedPushes,
  createRecentPushes,
  type RecentPush,
} from "../../src/queue/repair/recent-pushes.ts";

const pushOf = (id: string, atMs: number, bytes = 300): RecentPush => ({
  push: {
    id,
    isUnique: false,
    nonce: "",
    stream: { key: "k", name: "n", priority: "n", weight: 1 },
    text: "",
    bytes,
    delayMs: 0,
  },
  entryId: `${atMs}-0`,
  atMs,
});

const step = (...pushes: readonly RecentPush[]): AcceptedPushes => ({
  count: pushes.length,
  bytes: pushes.reduce((sum, { push }) => sum + push.bytes, 0),
  ids: () => pushes.map(({ push }) => push.id),
  each: () => pushes.map(({ push, entryId }) => ({ push, entryId })),
});

it("returns the latest push of each message, unless it is done or too old", () => {
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("add" as const), id: fc.integer({ max: 9, min: 0 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("forget" as const), id: fc.integer({ max: 12, min: 0 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), id: fc.integer({ max: 9, min: 0 }) }) },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.nat(60), (steps, sinceMs) => {
      const recent = createRecentPushes();
      let known: RecentPush[] = [];
      for (const [atMs, { kind, id }] of steps.entries()) {
        const name = `m${id}`;
        if (kind !== "drop") known = known.filter(({ push }) => push.id !== name);
        if (kind === "add") {
          const one = pushOf(name, atMs);
          known.unshift(one);
          recent.add(step(one), atMs);
        } else if (kind === "forget") recent.forget([name], atMs);
        // A query never reaches back beyond what was dropped.
        else recent.dropBefore(Math.min(sinceMs, atMs));
      }
      expect(recent.since(sinceMs)).toEqual(known.filter(({ atMs }) => atMs >= sinceMs));
      for (const one of known) expect(recent.isForgotten(one)).toBe(false);
    }),
    runs(),
  );
});

it("holds at least the latest 5,000 pushes, and never more than 10,000", () => {
  const recent = createRecentPushes();
  for (let count = 1; count <= 25_000; count++) {
    recent.add(step(pushOf(`m${count}`, count)), count);
    if (count % 1_000 > 0) continue;
    const known = recent.since(0);
    expect(known[0]?.atMs).toBe(count);
    expect(known.length).toBeGreaterThanOrEqual(Math.min(count, 5_000));
    expect(known.length).toBeLessThanOrEqual(10_000);
  }
});

it("holds few large pushes, and none when all are old", () => {
  const recent = createRecentPushes();
  for (let count = 1; count <= 100; count++) recent.add(step(pushOf(`m${count}`, count, 1 << 20)), count);
  expect(recent.since(0).length).toBeLessThanOrEqual(8);
  recent.dropBefore(101);
  recent.dropBefore(101);
  expect(recent.isEmpty).toBe(true);
});

it("prunes the ids of messages that other processes pushed", () => {
  const recent = createRecentPushes();
  const mine = pushOf("mine", 1);
  recent.add(step(mine), 1);
  for (let count = 0; count < 50_000; count++) recent.forget([`other-${count}`], count);
  expect(recent.since(0)).toEqual([mine]);
  recent.forget(["mine"], 50_000);
  expect(recent.since(0)).toEqual([]);
  expect(recent.isForgotten(mine)).toBe(true);
});

it("reads each message of a script from the lines that were sent and answered", () => {
  const stream = { key: "k", name: "n", priority: "n", weight: 1 };
  const pushes = ["first", "", "third"].map((text, at) => plainPush(`m${at}`, text, stream));
  const recent = createRecentPushes();
  recent.add(new AcceptedLines(stream, toLines(pushes), "7-0\n7-1\n8-0", 3), 1);
  recent.forget(["m1"], 2);
  recent.add(step(pushOf("m1", 3)), 3);
  expect(recent.since(0)).toEqual([
    pushOf("m1", 3),
    { push: pushes[2], entryId: "8-0", atMs: 1 },
    { push: pushes[0], entryId: "7-0", atMs: 1 },
  ]);
});

it("remembers which messages of a script are done, with any number of foreign ids", () => {
  const stream = { key: "k", name: "n", priority: "n", weight: 1 };
  const pushes = ["a", "b"].map((text, at) => plainPush(`m${at}`, text, stream));
  const recent = createRecentPushes();
  recent.add(new AcceptedLines(stream, toLines(pushes), "7-0\n7-1", 2), 1);
  recent.forget(["m0"], 2);
  for (let count = 0; count < 50_000; count++) recent.forget([`other-${count}`], 3);
  expect(recent.since(0).map(({ push }) => push.id)).toEqual(["m1"]);
});
