import { describe, expect, it } from "vitest";
import { type Circumstances, type Model, type Rules, search } from "./limit-model.ts";

const rules: Rules = {
  coldHasNoPart: true,
  waits: true,
  bounds: true,
  countsUse: true,
  keepsCount: true,
  replays: true,
  holds: true,
  reserves: true,
  suspects: true,
};
const circumstances: Circumstances = { answersAreFresh: true, allNotice: true, allReturn: true };
const model: Model = { rules, circumstances, limit: 2, windowTicks: 2, clocks: [0, 0] };

describe("every order of events, with Redis up, slow, away and back, and processes that start cold", {
  timeout: 600_000,
}, () => {
  it.each<[string, Partial<Model>]>([
    ["two processes that share 2", {}],
    ["two processes that share 3", { limit: 3 }],
    ["two processes with a longer window", { windowTicks: 3 }],
    ["two processes whose clocks are off", { clocks: [-1, 1] }],
    ["three processes that share 3", { limit: 3, windowTicks: 1, clocks: [0, 0, 0] }],
  ])("no window holds more than the limit: %s", (_, more) => {
    const { states, violation } = search({ ...model, ...more });
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(100);
  });

  it.each(Object.keys(rules) as (keyof Rules)[])("a window may hold more without the rule %s", (rule) => {
    const clocks = rule === "bounds" ? [-1, 1] : [0, 0];
    const { violation } = search({ ...model, clocks, rules: { ...rules, [rule]: false } });
    expect(violation).toBeDefined();
  });

  it.each(Object.keys(circumstances) as (keyof Circumstances)[])(
    "a window may hold more without the condition %s",
    (circumstance) => {
      const { violation } = search({ ...model, circumstances: { ...circumstances, [circumstance]: false } });
      expect(violation).toBeDefined();
    },
  );
});
