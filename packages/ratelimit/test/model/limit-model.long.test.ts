// Each of these searches visits many more states than those of limit-model.test.ts, which show the same with less.
import { expect, it } from "vitest";
import { model } from "./documented-model.ts";
import { type Model, search } from "./limit-model.ts";

it.each<[string, Partial<Model>]>([
  ["two processes that share 3", { limit: 3 }],
  ["two processes with a longer window", { windowTicks: 3 }],
  ["three processes that share 3", { limit: 3, windowTicks: 1, clocks: [0, 0, 0] }],
])("no window holds more than the limit: %s", (_, more) => {
  const { states, violation } = search({ ...model, ...more });
  expect(violation).toBeUndefined();
  expect(states).toBeGreaterThan(100);
});
