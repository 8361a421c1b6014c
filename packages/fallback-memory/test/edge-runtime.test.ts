import { memoryTransport } from "@continuum-cache/fallback-memory";
import { afterEach, expect, it, vi } from "vitest";

afterEach(() => vi.unstubAllGlobals());

it("long work pauses on the edge, where setImmediate throws", async () => {
  const setImmediate = vi.fn(() => {
    throw new Error("A Node.js API is used (setImmediate) which is not supported in the Edge Runtime");
  });
  vi.stubGlobal("setImmediate", setImmediate);
  vi.stubGlobal("EdgeRuntime", "edge-runtime");
  vi.stubGlobal("process", { env: {} });
  const transport = memoryTransport();
  await transport.send(Array.from({ length: 2_000 }, (_, at) => ["SET", `key:${at}`, "value"]));
  const setTimer = vi.spyOn(globalThis, "setTimeout");
  // Each walk is a bit of work; after some milliseconds of them there is a pause.
  for (let walk = 0; walk < 2_000 && setTimer.mock.calls.length === 0; walk++) {
    const page = ["SCAN", "0", "MATCH", "*nothing*", "COUNT", "2000"] as const;
    expect(await transport.send([page], { invalidates: ["*nothing*"] })).toEqual([["0", []]]);
  }
  expect(setTimer).toHaveBeenCalled();
  expect(setImmediate).not.toHaveBeenCalled();
});
