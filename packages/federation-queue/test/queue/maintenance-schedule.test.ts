import { describe, expect, it } from "vitest";
import {
  afterActivity,
  afterDelayed,
  afterRun,
  initialSchedule,
  isOverdue,
  nextRunMs,
} from "../../src/queue/maintenance.ts";

describe("the schedule of maintenance", () => {
  const idle = { pending: 0, nextDueInMs: undefined };

  it("is due at once before the first run", () => {
    expect(isOverdue(initialSchedule(1_000), 500, 1_000)).toBe(true);
    expect(nextRunMs(initialSchedule(1_000), 500)).toBeLessThan(1_000);
  });

  it("is due most of an interval after a run", () => {
    const schedule = afterRun(initialSchedule(0), idle, 900, 1_000);
    expect(nextRunMs(schedule, 500)).toBeGreaterThanOrEqual(1_375);
    expect(nextRunMs(schedule, 500)).toBeLessThanOrEqual(1_475);
    expect(isOverdue(schedule, 500, 1_499)).toBe(false);
    expect(isOverdue(schedule, 500, 1_500)).toBe(true);
  });

  it("is active with leases, and after activity that a run may not have seen", () => {
    expect(afterRun(initialSchedule(0), idle, 900, 1_000).isActive).toBe(false);
    expect(afterRun(initialSchedule(0), { ...idle, pending: 1 }, 900, 1_000).isActive).toBe(true);
    expect(afterRun(afterActivity(initialSchedule(0), 950), idle, 900, 1_000).isActive).toBe(true);
  });

  it("is due soon after the first delayed message, until a run has given it out", () => {
    const ran = afterRun(initialSchedule(0), idle, 0, 1_000);
    const delayed = afterDelayed(afterDelayed(ran, 40_000, 1_000), 100, 1_000);
    expect(delayed.delayedDueMs).toBeGreaterThanOrEqual(1_100);
    expect(nextRunMs(delayed, 60_000)).toBeLessThanOrEqual(1_130);
    expect(isOverdue(delayed, 60_000, 1_126)).toBe(true);
    expect(nextRunMs(afterRun(delayed, idle, 1_200, 1_300), 60_000)).toBeGreaterThan(40_000);
  });
});
