import type { Command } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { expect, it } from "vitest";
import { switchable } from "./switchable.ts";

it.each([
  ["one pattern", ["doomed:*"]],
  ["several patterns in one walk", ["doomed:*[0-4]", "doomed:*[5-9]"]],
])("a recovery collects 500 keys for one UNLINK: %s", async (_, globs) => {
  const primary = switchable();
  const keys = Array.from({ length: 20_000 }, (_, at) => (at % 10 === 0 ? `doomed:${at / 10}` : `other:${at}`));
  await primary.store.send(keys.map((key): Command => ["SET", key, "x"]));
  const transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "10ms" });
  primary.fail("unreachable", { delivery: "none" });
  for (const glob of globs) await transport.send([["PING"]], { invalidates: [glob] });
  primary.sent.splice(0);
  primary.restore();
  await expect.poll(() => transport.status?.currentBackend).toBe("upstash");

  expect(await primary.store.send([["DBSIZE"], ["EXISTS", "doomed:1", "doomed:1999"]])).toEqual([18_000, 0]);
  const sent = (name: string): Command[] => primary.sent.filter((command) => command[0] === name);
  expect(sent("SCAN")).toHaveLength(20);
  expect(sent("UNLINK").map(({ length }) => length - 1)).toEqual([500, 500, 500, 500]);
  await transport.close();
});
