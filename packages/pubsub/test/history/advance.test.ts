import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advance } from "../../src/history/advance.ts";
import type { Entry } from "../../src/history/entry.ts";
import type { HistoryPage } from "../../src/history/read-history.ts";
import type { Position } from "../../src/index.ts";

const entry = (epoch: number, seq: number, tag = `${epoch}-${seq}`): Entry => ({
  position: { epoch, seq, tag },
  publishedAtMs: 0,
  text: tag,
});

/** What a server that holds these would answer. */
function pageOf(all: readonly Entry[], from: Position | undefined, size = Number.POSITIVE_INFINITY): HistoryPage {
  const isAtOrBehind = ({ position }: Entry): boolean =>
    !from || position.epoch > from.epoch || (position.epoch === from.epoch && position.seq >= from.seq);
  const entries = all.filter(isAtOrBehind).slice(0, size);
  return { newest: all.at(-1), entries, more: entries.length >= size ? entries.at(-1)?.position : undefined };
}

/** Reads on until nothing is left. */
function readAll(cursor: Position | undefined, all: readonly Entry[], size: number) {
  const read: string[] = [];
  let missed = 0;
  let lost = 0;
  let at = cursor;
  for (let pages = 0; pages < 1_000; pages++) {
    const page = pageOf(all, at, size);
    const { steps, cursor: reached, isDiverged } = advance(at, page);
    for (const step of steps) {
      if (step.kind === "entry") read.push(String(step.entry.text));
      else if (step.kind === "trimmed") missed += step.missed;
      else lost++;
    }
    at = reached;
    if (!page.more || isDiverged) return { read, missed, lost, at, isDiverged };
  }
  throw new Error("It never ends");
}

describe("reading on in a history", () => {
  it("delivers all stored messages and counts all trimmed ones, for any page size", () => {
    const numbers = fc.record({
      published: fc.integer({ min: 1, max: 60 }),
      trimmed: fc.nat({ max: 59 }),
      readUpTo: fc.integer({ min: -1, max: 59 }),
      size: fc.integer({ min: 2, max: 10 }),
    });
    fc.assert(
      fc.property(numbers, ({ published, trimmed, readUpTo, size }) => {
        fc.pre(trimmed < published && readUpTo < published);
        const all = Array.from({ length: published }, (_, seq) => entry(1, seq));
        const cursor = readUpTo < 0 ? undefined : all[readUpTo]?.position;
        const { read, missed, lost, at } = readAll(cursor, all.slice(trimmed), size);
        expect(read).toEqual(all.slice(Math.max(trimmed, readUpTo + 1)).map(({ text }) => text));
        expect(missed).toBe(Math.max(0, trimmed - readUpTo - 1));
        expect(lost).toBe(0);
        expect(at).toEqual(all.at(-1)?.position);
      }),
      runs(),
    );
  });

  it("counts messages past their age, even if all are", () => {
    const page: HistoryPage = { newest: entry(1, 9), entries: [], more: undefined };
    expect(advance({ epoch: 1, seq: 4 }, page)).toEqual({
      steps: [{ kind: "trimmed", missed: 5 }],
      cursor: entry(1, 9).position,
      isDiverged: false,
    });
  });

  it("goes on behind a page of messages past their age", () => {
    const page: HistoryPage = { newest: entry(1, 9), entries: [], more: { epoch: 1, seq: 6 } };
    const { steps, cursor } = advance({ epoch: 1, seq: 4 }, page);
    expect(steps).toEqual([{ kind: "trimmed", missed: 2 }]);
    expect(cursor).toEqual({ epoch: 1, seq: 6 });
  });

  it("begins before the first message: nothing is missing in the same history", () => {
    const start = { epoch: 5, seq: -1 };
    const empty: HistoryPage = { newest: { position: start }, entries: [], more: undefined };
    expect(advance(undefined, empty)).toEqual({ steps: [], cursor: start, isDiverged: false });
    expect(advance(start, empty)).toEqual({ steps: [], cursor: start, isDiverged: false });
    expect(readAll(start, [entry(5, 0), entry(5, 1)], 5)).toMatchObject({ read: ["5-0", "5-1"], missed: 0, lost: 0 });
    expect(readAll(start, [entry(5, 3)], 5)).toMatchObject({ read: ["5-3"], missed: 3, lost: 0 });
    expect(advance(start, pageOf([entry(6, 0)], start)).steps[0]).toEqual({ kind: "interrupted" });
    expect(advance(start, { ...empty, newest: { position: { epoch: 6, seq: -1 } } })).toMatchObject({
      steps: [{ kind: "interrupted" }],
      cursor: { epoch: 6, seq: -1 },
    });
  });

  it("reports the end of an epoch as unknown after the server has lost it", () => {
    expect(readAll({ epoch: 1, seq: 4, tag: "1-4" }, [entry(2, 0), entry(2, 1)], 5)).toMatchObject({
      read: ["2-0", "2-1"],
      missed: 0,
      lost: 1,
    });
    expect(readAll({ epoch: 1, seq: 4, tag: "1-4" }, [entry(2, 3)], 5)).toMatchObject({
      read: ["2-3"],
      missed: 3,
      lost: 1,
    });
    expect(readAll({ epoch: 1, seq: 4 }, [], 5)).toMatchObject({ read: [], lost: 1, at: undefined });
  });

  it("does so too when the next epoch follows the last message that was read", () => {
    const all = [entry(1, 3), entry(1, 4), entry(2, 0)];
    expect(readAll({ epoch: 1, seq: 3, tag: "1-3" }, all, 5)).toMatchObject({
      read: ["1-4", "2-0"],
      missed: 0,
      lost: 1,
    });
  });

  it("notices a history whose end was lost and written again", () => {
    const rewritten = [entry(1, 0), entry(1, 1), entry(1, 2, "other")];
    expect(readAll({ epoch: 1, seq: 2, tag: "1-2" }, rewritten, 5)).toMatchObject({ lost: 1, isDiverged: true });
    expect(readAll({ epoch: 1, seq: 7 }, rewritten, 5)).toMatchObject({ lost: 1, isDiverged: true });
    expect(readAll({ epoch: 2, seq: 0 }, rewritten, 5)).toMatchObject({ lost: 1, isDiverged: true });
  });

  it("is not disturbed by messages that are published between its two reads", () => {
    const page: HistoryPage = { newest: entry(1, 3), entries: [entry(1, 3), entry(1, 4)], more: undefined };
    expect(advance({ epoch: 1, seq: 3, tag: "1-3" }, page)).toMatchObject({ cursor: entry(1, 4).position });
  });
});
