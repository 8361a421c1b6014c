/**
 * The two variables of the histories that run as tests. `SEED` repeats an earlier run: its tests print the seed.
 * `HISTORIES` says how many histories of the cache run.
 */
export const seed: number = Number(process.env["SEED"] ?? Math.max(1, Date.now() % 2 ** 31));
export const histories = (normally: number): number => Number(process.env["HISTORIES"] ?? normally);
