import { afterAll, describe, expect, it } from "vitest";
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
 * Registers one test for each target: a function that gives hostile inputs to a decoder or parser and throws at an
 * unexpected error. No input may take long. With `TEST_SCALE` of 10 or more it prints a table of the targets.
 */
export function describeHostileInputs(subject: string, targets: Readonly<Record<string, () => HostileInputs>>): void {
  describe(`hostile inputs to ${subject}`, () => {
    const rows: unknown[] = [];
    afterAll(() => {
      if (testScale >= 10) console.table(rows);
    });

    it.each(Object.entries(targets))("%s: no error but its own, in bounded time", (target, run) => {
      const { inputs, rejected, worstMs, worstInput, grownMib } = run();
      const length = (worstInput as { readonly length?: number } | undefined)?.length;
      rows.push({ target, inputs, rejected, worstMs: worstMs.toFixed(2), length, grownMib: grownMib.toFixed(0) });
      expect(worstMs, JSON.stringify(worstInput)?.slice(0, 300)).toBeLessThan(mostMs);
    });
  });
}
