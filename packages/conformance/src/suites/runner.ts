/**
 * The part of a test runner that the suites use. Vitest, node:test and Bun all fit; hand in their `describe` and `it`.
 */
export interface Runner {
  readonly describe: (title: string, body: () => void) => unknown;
  readonly it: {
    (title: string, run: () => Promise<void>): unknown;
    skip(title: string, run: () => Promise<void>): unknown;
  };
  /** Closes what a suite opened (node:test calls it `after`). Without it the suite's last test does. */
  readonly afterAll?: (run: () => Promise<void>) => unknown;
}

/** Which cases to leave out, and why: by title or by need. The reason is shown in the test's title. */
export type Skips = Readonly<Record<string, string>>;

/** Registers a test, or a skipped one that tells its reason. */
export function register(
  { it }: Runner,
  skips: Skips,
  { title, needs }: { readonly title: string; readonly needs?: string },
  run: () => Promise<void>,
): void {
  const reason = skips[title] ?? (needs === undefined ? undefined : skips[needs]);
  if (reason === undefined) it(title, run);
  else it.skip(`${title} (skipped: ${reason})`, run);
}

/** Checks skips: each must name a known case or need, so that no outdated skip stays, and give a reason. */
export function assertSkips(skips: Skips, known: readonly (string | undefined)[]): void {
  for (const [name, reason] of Object.entries(skips)) {
    if (!known.includes(name))
      throw new Error(`Expected each skip to name a case or a need, got ${JSON.stringify(name)}`);
    if (reason.trim() === "") throw new Error(`Expected a written reason for the skip of ${JSON.stringify(name)}`);
  }
}

/** Runs `close` after all tests of the suite. */
export function registerEnd({ it, afterAll }: Runner, close: () => Promise<void>): void {
  if (afterAll) afterAll(close);
  else it("closes at the end of the suite", close);
}
