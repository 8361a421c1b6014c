import { describe, expect, it } from "vitest";
import { interruptedReplays } from "../../src/cache/run-histories.ts";
import { tell } from "./told-history.ts";

const relapse = { startUs: 150_000, endUs: 180_000, fault: "cut", relapse: true };

describe("interruptedReplays", () => {
  it("counts clients that had something to tell when the primary went away again", () => {
    expect(interruptedReplays(tell({ outages: { 0: [[100, 200]], 1: [[120, 300]] }, nemesis: [relapse] }))).toBe(2);
  });

  it("does not count a client that was back, one that another's link concerned, or a first outage", () => {
    const outages = { 0: [[100, 140]], 1: [[100, 200]] } as const;
    expect(interruptedReplays(tell({ outages, nemesis: [{ ...relapse, client: 0 }] }))).toBe(0);
    expect(interruptedReplays(tell({ outages, nemesis: [{ startUs: 150_000, endUs: 180_000, fault: "cut" }] }))).toBe(
      0,
    );
  });
});
