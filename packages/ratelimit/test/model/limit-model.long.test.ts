import { expect, it } from "vitest";
import { model } from "./documented-model.ts";
import { search } from "./limit-model.ts";

it("no window holds more than the limit: three processes that share 3", () => {
  const { states, violation } = search({ ...model, limit: 3, windowTicks: 1, clocks: [0, 0, 0] });
  expect(violation).toBeUndefined();
  expect(states).toBeGreaterThan(100);
});
