// What test files import as "vitest" in runtimes that have none.
import type { BareRunner } from "./bare-runner.ts";

let current: BareRunner | undefined;

/** The runner that the next test file registers its tests with. */
export function useRunner(runner: BareRunner): void {
  current = runner;
}

const running = (): BareRunner => {
  if (current === undefined) throw new Error("Expected a runner: call useRunner before the test file is imported");
  return current;
};

export const describe: BareRunner["describe"] = (title, body) => running().describe(title, body);
export const it: BareRunner["it"] = Object.assign(
  (title: string, run: () => Promise<void>) => running().it(title, run),
  { skip: (title: string, run: () => Promise<void>) => running().it.skip(title, run) },
);
export const afterAll: BareRunner["afterAll"] = (run) => running().afterAll(run);
