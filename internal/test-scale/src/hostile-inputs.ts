import { afterAll, expect } from "vitest";
import { testScale } from "./test-scale.ts";

/** What a fuzzer reports of one decoder or parser. `fuzz` of `@continuum-cache/conformance` returns it. */
export interface HostileInputs {
  readonly inputs: number;
  /** How many inputs met an expected error. */
  readonly rejected: number;
  readonly worstMs: number;
  readonly worstInput: unknown;
  readonly grownMib: number;
}

/** Of at most some 70 KB: what is linear takes some milliseconds, whatever else the machine does. */
const mostMs = 500;

/**
 * Makes the test of a target: a function that gives hostile inputs to a decoder or parser and throws at an unexpected
 * error. No input may take long. With `TEST_SCALE` of 10 or more a table of all targets is printed.
 */
export function inBoundedTime(): (target: string, run: () => HostileInputs) => void {
  const rows: unknown[] = [];
  afterAll(() => {
    if (testScale >= 10) console.table(rows);
  });

  return (target, run) => {
    const { inputs, rejected, worstMs, worstInput, grownMib } = run();
    const length = (worstInput as { readonly length?: number } | undefined)?.length;
    rows.push({ target, inputs, rejected, worstMs: worstMs.toFixed(2), length, grownMib: grownMib.toFixed(0) });
    expect(worstMs, JSON.stringify(worstInput)?.slice(0, 300)).toBeLessThan(mostMs);
  };
}
