import { scaled, testSeed } from "@continuum-cache/test-scale";

/** What the histories that run as tests draw from. `OUTAGE_SEED` sets it for them alone. */
export const seed: number = Number(process.env["OUTAGE_SEED"] ?? testSeed);

/** A fifth of so many histories in `test`, all of them in `test --all`. `OUTAGE_HISTORIES` sets the number alone. */
export const histories = (normally: number): number =>
  Number(process.env["OUTAGE_HISTORIES"] ?? scaled(normally / 5, 40));
