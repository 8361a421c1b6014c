import { expect, it } from "vitest";
import { brokenPromises, webSocketTable } from "../src/pubsub/websockets/report.ts";
import { measureWebSockets } from "../src/pubsub/websockets/run.ts";

it("sends everything to 297 WebSockets while 3 are frozen, and tells those what they have missed", async () => {
  const run = await measureWebSockets({
    clients: 300,
    frozen: 3,
    seconds: 6,
    rate: 20,
    wideRate: 40,
    wideBytes: 65_536,
    maxBufferedBytes: 131_072,
    patienceMs: 6_000,
  });
  expect(brokenPromises(run)).toEqual([]);
  expect(run.server.tooSlow).toBe(1);
  expect(run.clients.resumed).toBe(1);
  expect(webSocketTable(run)).toContain("36,000 of 36,000");
});
