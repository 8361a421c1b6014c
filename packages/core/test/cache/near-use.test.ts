import { Cache } from "@continuum-cache/core";
import type { NearStore } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";
import { empty, recordingTransport } from "../recording-transport.ts";

/** A near cache that holds a value for which a look never proves anything. */
const silent: NearStore = {
  get: () => undefined,
  peek: () => undefined,
  read: () => new Promise(() => {}),
  prove: () => new Promise(() => {}),
  begin: () => undefined,
  written() {},
  writtenWhere() {},
  stats: () => undefined,
  close() {},
};

describe("getOrSet in front of a near cache that does not answer", () => {
  it.each([
    ["plain", {}],
    ["a freshness option", { staleWhileRevalidate: "1m" }],
    ["one loader over all processes", { singleFlight: "global" }],
  ] as const)("ends by its own deadline, and by its signal: %s", async (_, options) => {
    const cache = new Cache({ transport: recordingTransport(empty), near: { attach: () => silent } });
    const late = cache.getOrSet("key", () => "value", { ...options, timeout: "50ms" });
    await expect(late).rejects.toMatchObject({ kind: "timeout" });
    const controller = new AbortController();
    const aborted = cache.getOrSet("key", () => "value", { ...options, signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ kind: "aborted" });
    await cache.close();
  });
});
