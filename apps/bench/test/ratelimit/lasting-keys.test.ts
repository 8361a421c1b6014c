import { countingContenders } from "@continuum-cache/histories/limiter";
import { testSeed } from "@continuum-cache/test-scale";
import { expect, it } from "vitest";
import { measureLastingKeys } from "../../src/ratelimit/bytes/lasting-keys.ts";

it("no key of ours stays for ever, whatever was called, given back or reset", async () => {
  const ours = countingContenders.filter(({ title }) => title.startsWith("continuum-cache"));
  const rows = await measureLastingKeys(2_000, testSeed, ours);
  expect(rows).toHaveLength(4);
  for (const { keys, lasting, title } of rows) {
    expect(keys, title).toBeGreaterThan(0);
    expect(lasting, title).toBe(0);
  }
});
