import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../../../../packages/conformance/src/servers/redis-process.ts";
import { type FailoverPair, startFailoverPair } from "../../src/site/failover-pair.ts";

let pair: FailoverPair;
beforeAll(async () => {
  pair = await startFailoverPair(freePort);
});
afterAll(() => pair.close());

it("keeps what was confirmed through every failover, and leaves the old primary refusing all work", async () => {
  for (let failover = 1; failover <= 3; failover++) {
    const old = pair.primary;
    for (let write = 1; write <= 50; write++) await old.command("INCR", "n");
    await pair.failOver();
    expect(pair.primary.port).not.toBe(old.port);
    expect(await pair.primary.command("GET", "n")).toBe(String(failover * 50));
    await expect(old.command("SET", "n", "x")).rejects.toThrow(/^(READONLY|MASTERDOWN)/);
    await expect(old.command("GET", "n")).rejects.toThrow(/^MASTERDOWN/);
  }
});
