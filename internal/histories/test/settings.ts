import { scaled, testSeed } from "@continuum-cache/test-scale";

/**
 * The two variables of the histories that run as tests, beside those of all tests: `SEED` repeats an earlier run, whose
 * tests printed it; `HISTORIES` says how many histories of the cache run.
 */
export const seed: number = Number(process.env["SEED"] ?? testSeed);
export const histories = (normally: number): number =>
  Number(process.env["HISTORIES"] ?? scaled(normally, Math.min(normally, 40)));
