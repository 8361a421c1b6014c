import { getEventListeners } from "node:events";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FederationQueue, relay, SyncLog } from "../src/index.ts";

const many = Array.from({ length: 12 }, (_, index) => index);
const warnings: string[] = [];
const onWarning = ({ name }: Error): void => void warnings.push(name);

beforeEach(() => {
  warnings.length = 0;
  process.on("warning", onWarning);
});
afterEach(() => {
  process.off("warning", onWarning);
});

/** Waits until the signal has no listeners; Node reports a leak in the tick after it finds one. */
async function noneIsLeft(signal: AbortSignal): Promise<void> {
  await vi.waitFor(() => expect(getEventListeners(signal, "abort")).toEqual([]), { timeout: 60_000 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
}

describe.each(["the signal", "their own end"] as const)("twelve with the same signal, ended by %s,", (ended) => {
  it("add one listener in total, as workers", async () => {
    const transport = memoryTransport();
    const queue = new FederationQueue({ transport });
    const controller = new AbortController();
    const { signal } = controller;
    const workers = many.map(() => queue.consume(async () => {}, { signal }));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    if (ended === "the signal") controller.abort();
    else await Promise.all(workers.map((worker) => worker.stop()));
    await noneIsLeft(signal);
    await queue.close();
    await transport.close();
  });

  it("add one listener in total, as followers", async () => {
    const transport = memoryTransport();
    const log = new SyncLog({ transport }, { key: "l", instanceId: "me" });
    const controller = new AbortController();
    const { signal } = controller;
    const loops = many.map(async () => {
      for await (const entry of log.follow({ signal })) expect(entry).toBeUndefined();
    });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    if (ended === "the signal") controller.abort();
    else await log.close();
    await Promise.all(loops);
    await noneIsLeft(signal);
    await log.close();
    await transport.close();
  });

  it("add one listener in total, as relays", async () => {
    const [one, other] = [memoryTransport(), memoryTransport()];
    const controller = new AbortController();
    const { signal } = controller;
    const relays = many.map(() => relay({ transport: one }, { transport: other }, { signal }));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    if (ended === "the signal") controller.abort();
    else await Promise.all(relays.map((each) => each.close()));
    await noneIsLeft(signal);
    await Promise.all(relays.map((each) => each.close()));
    for (const transport of [one, other]) await transport.close();
  });
});
