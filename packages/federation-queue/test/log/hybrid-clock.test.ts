import { expect, it } from "vitest";
import { createHybridClock } from "../../src/log/hybrid-clock.ts";

const start = (nowMs: number) => {
  const at = { now: nowMs, steady: 0 };
  const clock = createHybridClock(
    () => at.now,
    () => at.steady,
  );
  return { at, clock };
};

it("never goes back although the machine's clock does", () => {
  const { at, clock } = start(1_000_000);
  expect(clock.next()).toBe(1_000_000);
  at.now = 900_000;
  expect(clock.next()).toBe(1_000_000);
});

it("is never before an observed event, but follows no clock that is more than a minute ahead", () => {
  const { clock } = start(1_000_000);
  clock.observe(1_030_000);
  expect(clock.next()).toBe(1_030_000);
  clock.observe(9_000_000);
  expect(clock.next()).toBe(1_060_000);
});

it("stays within a minute of the server's clock", () => {
  const { at, clock } = start(50_000_000);
  clock.setServerMs(1_000_000);
  expect(clock.next()).toBe(1_060_000);
  at.steady = 10_000;
  expect(clock.serverMs).toBe(1_010_000);
  expect(clock.next()).toBe(1_070_000);
  expect(clock.bounded(99_000_000)).toBe(1_070_000);
  const behind = start(1_000);
  behind.clock.setServerMs(1_000_000);
  expect(behind.clock.next()).toBe(940_000);
});
