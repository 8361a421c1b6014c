// Runs around every test file. The files of a package run one after another in the same process, so that each module is
// loaded once: what a file replaced for itself must not meet the next one.
import { afterAll, vi } from "vitest";

afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});
