import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { expect, it } from "vitest";
import { plainOutgoing } from "../../src/queue/outgoing.ts";
import { AcceptedLines, toLines } from "../../src/queue/push-many-script.ts";
import { type AcceptedPushes, createRecentPushes, type RecentPush } from "../../src/queue/recent-pushes.ts";

const push = (id: string, atMs: number, bytes = 300): RecentPush => ({
  out: {
    id,
    isUnique: false,
    nonce: "",
    source: { key: "k", name: "n", priority: "n", weight: 1 },
    text: "",
    bytes,
    delayMs: 0,
  },
  entryId: `${atMs}-0`,
  atMs,
});

const step = (...pushes: readonly RecentPush[]): AcceptedPushes => ({
  count: pushes.length,
  bytes: pushes.reduce((sum, { out }) => sum + out.bytes, 0),
  ids: () => pushes.map(({ out }) => out.id),
  each: () => pushes.map(({ out, entryId }) => ({ out, entryId })),
});

it("knows of each message the latest push, unless that is done or too old", () => {
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
        if (kind !== "drop") known = known.filter(({ out }) => out.id !== name);
        if (kind === "add") {
          const one = push(name, atMs);
          known.unshift(one);
          recent.add(step(one), atMs);
        } else if (kind === "forget") recent.forget([name], atMs);
        // What is asked for is never older than what was dropped.
        else recent.dropBefore(Math.min(sinceMs, atMs));
      }
      expect(recent.since(sinceMs)).toEqual(known.filter(({ atMs }) => atMs >= sinceMs));
      for (const one of known) expect(recent.isForgotten(one)).toBe(false);
    }),
    runs(),
  );
});

it("holds the latest 5,000 for sure, and never more than 10,000", () => {
  const recent = createRecentPushes();
  for (let count = 1; count <= 25_000; count++) {
    recent.add(step(push(`m${count}`, count)), count);
    if (count % 1_000 > 0) continue;
    const known = recent.since(0);
    expect(known[0]?.atMs).toBe(count);
    expect(known.length).toBeGreaterThanOrEqual(Math.min(count, 5_000));
    expect(known.length).toBeLessThanOrEqual(10_000);
  }
});

it("holds few large ones, and none when all are old", () => {
  const recent = createRecentPushes();
  for (let count = 1; count <= 100; count++) recent.add(step(push(`m${count}`, count, 1 << 20)), count);
  expect(recent.since(0).length).toBeLessThanOrEqual(8);
  recent.dropBefore(101);
  recent.dropBefore(101);
  expect(recent.isEmpty).toBe(true);
});

it("keeps nothing of the messages of others that are done here", () => {
  const recent = createRecentPushes();
  const mine = push("mine", 1);
  recent.add(step(mine), 1);
  for (let count = 0; count < 50_000; count++) recent.forget([`other-${count}`], count);
  expect(recent.since(0)).toEqual([mine]);
  recent.forget(["mine"], 50_000);
  expect(recent.since(0)).toEqual([]);
  expect(recent.isForgotten(mine)).toBe(true);
});

it("knows each message of a step by the lines that were sent and answered", () => {
  const source = { key: "k", name: "n", priority: "n", weight: 1 };
  const outs = ["first", "", "third"].map((text, at) => plainOutgoing(`m${at}`, text, source));
  const recent = createRecentPushes();
  recent.add(new AcceptedLines(source, toLines(outs), "7-0\n7-1\n8-0", 3), 1);
  recent.forget(["m1"], 2);
  recent.add(step(push("m1", 3)), 3);
  expect(recent.since(0)).toEqual([
    push("m1", 3),
    { out: outs[2], entryId: "8-0", atMs: 1 },
    { out: outs[0], entryId: "7-0", atMs: 1 },
  ]);
});

it("keeps in mind what is done of many steps, however much of others is done beside it", () => {
  const source = { key: "k", name: "n", priority: "n", weight: 1 };
  const outs = ["a", "b"].map((text, at) => plainOutgoing(`m${at}`, text, source));
  const recent = createRecentPushes();
  recent.add(new AcceptedLines(source, toLines(outs), "7-0\n7-1", 2), 1);
  recent.forget(["m0"], 2);
  for (let count = 0; count < 50_000; count++) recent.forget([`other-${count}`], 3);
  expect(recent.since(0).map(({ out }) => out.id)).toEqual(["m1"]);
});
