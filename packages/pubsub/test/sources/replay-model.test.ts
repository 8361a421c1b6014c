import { runs, testScale } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Action, type Script, type ScriptedSource, scriptedSource } from "./scripted-source.ts";

// Every order of publishing, delivering, breaking, reading and losing, up to a number of steps: what a subscriber is
// told.

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Each further step makes about four times as many orders. */
const depth = Math.max(4, Math.round(5 + Math.log(testScale) / Math.log(4)));

const pass = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(1_100));

/** What is wrong with what was told, if anything. */
function fault(
  { told, published }: ScriptedSource,
  actions: readonly Action[],
  askedForStored: boolean,
): string | undefined {
  const heard = told.flatMap((one) => (one.kind === "message" ? [one.id] : []));
  const gaps = told.flatMap((one) => (one.kind === "gap" ? [one.gap] : []));
  const missing = published.filter((id) => !heard.includes(id));
  if (heard.some((id, index) => id <= (heard[index - 1] ?? -1))) return "repeated or out of order";
  const isLossy = actions.includes("flush");
  // Only a subscriber that never broke off knows what a lost history held.
  const mayBeUnknown = isLossy && (actions.includes("break") || askedForStored);
  if (!mayBeUnknown && gaps.some(({ missed }) => missed === undefined)) return "a gap that did not happen";
  const counted = gaps.reduce((sum, { missed = 0 }) => sum + missed, 0);
  if (!isLossy && counted !== missing.length) return "miscounted";
  for (const id of missing) {
    const next = told.findIndex((one) => one.kind === "message" && one.id > id);
    const before = told.slice(0, next < 0 ? told.length : next);
    if (!before.some(({ kind }) => kind === "gap")) return "missed in silence";
  }
  return undefined;
}

/** Runs each sequence of at most so many steps. @returns how many there were, and the first that went wrong. */
async function explore(script: Omit<Script, "pass">, depth: number) {
  let runs = 0;
  const play = async (actions: readonly Action[]): Promise<ScriptedSource> => {
    const source = await scriptedSource({ ...script, pass });
    for (const action of actions) await source.act(action);
    return source;
  };
  const stack: (readonly Action[])[] = [[]];
  for (let actions = stack.pop(); actions; actions = stack.pop()) {
    const source = await play(actions);
    const next = actions.length < depth ? source.enabled() : [];
    for (const action of next) stack.push([...actions, action]);
    await source.settle();
    source.close();
    runs++;
    const wrong = fault(source, actions, script.stored > 0 && script.after !== undefined);
    if (wrong) return { runs, wrong, actions, told: source.told };
  }
  return { runs };
}

const limits = { publish: 3, deliver: 3, break: 2, restore: 2, execute: 3, answer: 3, fail: 1, flush: 1, trim: 1 };

const starts = [
  ["no message yet", { stored: 0 }],
  ["two messages stored", { stored: 2 }],
  ["no message yet, read from the beginning", { stored: 0, after: "beginning" }],
  ["two messages stored, read from the beginning", { stored: 2, after: "beginning" }],
  ["three messages stored, resumed behind the first", { stored: 3, after: "first" }],
] as const;

describe("a replay channel that breaks at any moment", () => {
  it.each(starts)(
    "misses nothing in silence, repeats nothing and claims no gap that did not happen: %s",
    async (_, start) => {
      const { runs: orders, ...wrong } = await explore({ begins: true, limits, ...start }, depth);
      expect(wrong).toEqual({});
      expect(orders).toBeGreaterThan(depth ** 3);
    },
  );

  it.each(starts)("nor in any longer order: %s", async (_, start) => {
    const often = {
      publish: 30,
      deliver: 30,
      break: 5,
      restore: 5,
      execute: 20,
      answer: 20,
      fail: 3,
      flush: 2,
      trim: 3,
    };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_000), { minLength: 20, maxLength: 60, size: "max" }), async (picks) => {
        const source = await scriptedSource({ begins: true, limits: often, pass, ...start });
        const actions: Action[] = [];
        for (const pick of picks) {
          const enabled = source.enabled();
          const action = enabled[pick % enabled.length];
          if (!action) break;
          actions.push(action);
          await source.act(action);
        }
        await source.settle();
        source.close();
        expect([fault(source, actions, "after" in start && start.stored > 0), actions]).toEqual([undefined, actions]);
      }),
      runs(40),
    );
  });

  it("reports a possible gap before the first message where it may not begin the history", async () => {
    const found = await explore({ begins: false, stored: 0, limits: { ...limits, flush: 0, trim: 0 } }, 4);
    expect(found).toMatchObject({ wrong: "a gap that did not happen" });
  });
});
