import type { Decision } from "../../src/index.ts";

/** A decision at second 1,000,000 of the clock, with the properties that a test overrides. */
export const decided = (special: Partial<Decision> = {}): Decision => ({
  allowed: true,
  limit: 100,
  remaining: 42,
  current: 58,
  resetAt: new Date(1_000_060_000),
  retryAfter: 0,
  moreAfter: 16.2,
  source: "redis",
  decidedAtUs: 1_000_000_000_000,
  scope: "api",
  windowSeconds: 60,
  ...special,
});
