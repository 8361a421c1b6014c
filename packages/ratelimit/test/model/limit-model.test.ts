import { describe, expect, it } from "vitest";
import { circumstances, model, rules } from "./documented-model.ts";
import { type Circumstances, type Model, type Rules, search } from "./limit-model.ts";

describe("every order of events, with Redis up, slow, away and back, and processes that start cold", () => {
  it.each<[string, Partial<Model>]>([
    ["two processes that share 2", {}],
    ["two processes whose clocks are off", { clocks: [-1, 1] }],
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
