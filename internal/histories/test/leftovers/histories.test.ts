import { describe, expect, it } from "vitest";
import { applyRules } from "../../src/checking/rules.ts";
import { type LeftoversRow, leftoversRules, runLeftovers } from "../../src/leftovers/run.ts";

describe("a queue and a log whose processes are killed and closed again and again", () => {
  it("leave a constant number of keys, groups, consumers and entries", { timeout: 15 * 60_000 }, async () => {
    const rows = await runLeftovers({ way: "tcp", messages: 3_000, restarts: 6, counts: 2 });
    expect(rows.at(-1)).toMatchObject({ messages: 3_000, restarts: 6 });
    expect(applyRules(leftoversRules, rows).violations).toEqual([]);
  });
});

describe("the checker of leftovers", () => {
  const well = { messages: 100, restarts: 2, undone: 0, keys: 11, groups: 4, consumers: 3, entries: 0 };
  const brokenBy = (rest: Partial<LeftoversRow>): string[] =>
    applyRules(leftoversRules, [well, { ...well, ...rest }]).violations.map(({ kind }) => kind);

  it("objects to keys, groups, consumers and entries beyond a constant, and to messages that are never done", () => {
    expect(brokenBy({})).toEqual([]);
    expect(brokenBy({ keys: 14 })).toEqual(["unbounded"]);
    expect(brokenBy({ groups: 5 })).toEqual(["unbounded"]);
    expect(brokenBy({ consumers: 13 })).toEqual(["unbounded"]);
    expect(brokenBy({ entries: 11 })).toEqual(["unbounded"]);
    expect(brokenBy({ undone: 1 })).toEqual(["unfinished"]);
  });
});
