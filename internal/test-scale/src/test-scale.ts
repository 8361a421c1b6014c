/**
 * How often tests repeat their loops, and from which seed they draw. Every test that repeats something reads it here:
 * `TEST_SCALE` multiplies the repetitions (0.4 in `test`, 5 in `test --all`), `TEST_SEED` repeats the draws of an
 * earlier run.
 */
export const testScale: number = positiveNumber("TEST_SCALE") ?? 1;

/** The seed of this run. `vitest.config.ts` draws one where `TEST_SEED` names none, so that all test files share it. */
export const testSeed: number = positiveNumber("TEST_SEED") ?? 1;

/** Whether this is `test --all`: for what takes so long that a fifth of it is still too much. */
export const isLongRun: boolean = process.env["TEST_LONG"] === "1";

/**
 * Repetitions at the scale of this run: `scaled(300)` is 120 in `test`; `least` is what the test needs to mean
 * anything.
 */
export function scaled(repetitions: number, least = 1): number {
  return scaledBy(testScale, repetitions, least);
}

/** How many runs fast-check makes, and from which seed: `fc.assert(property, runs(300))`. `least` is as of `scaled`. */
export function runs(repetitions = 100, least = 1): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: scaled(repetitions, least), seed: testSeed };
}

/** What `scaled` computes, for a scale of the caller's choice. */
export function scaledBy(scale: number, repetitions: number, least = 1): number {
  return Math.max(least, Math.round(repetitions * scale));
}

/** How to run a test file again with the draws of this run. */
export function repeatCommand(project: string, file: string): string {
  const variables = `TEST_SEED=${testSeed}${testScale === 1 ? "" : ` TEST_SCALE=${testScale}`}`;
  return `${variables} npx --yes pnpm@12.21.0 unit --project ${project} ${file}`;
}

function positiveNumber(variable: string): number | undefined {
  const text = process.env[variable];
  if (!text) return undefined;
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`Expected the variable ${variable} to be a number above 0, got ${JSON.stringify(text)}`);
}
