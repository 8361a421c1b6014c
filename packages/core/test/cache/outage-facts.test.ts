import { type BackendStatus, Cache, type CacheEvents, type Transport } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";
import { empty, recordingTransport } from "../recording-transport.ts";

describe("the backend events of a cache", () => {
  it("repeat the reports of the transport unchanged", () => {
    const listeners = { change: [] as unknown[], kept: [] as unknown[], failure: [] as unknown[] };
    const add = (to: unknown[]) => (listener: unknown) => {
      to.push(listener);
      return () => void to.splice(to.indexOf(listener), 1);
    };
    const outage = {
      sinceMs: 1,
      reason: "unreachable: away",
      state: "local",
      journal: { entries: 1, bytes: 402, ageMs: 5 },
      dropped: 0,
    } as const;
    const status: BackendStatus = {
      currentBackend: "local",
      pending: 1,
      outage,
      onChange: add(listeners.change),
      onKept: add(listeners.kept),
      onFailure: add(listeners.failure),
    };
    const transport: Transport = { ...recordingTransport(empty), status };
    const cache = new Cache({ transport, keyPrefix: "app:" });
    expect(cache.transport).toBe(transport);
    expect(cache.keyPrefix).toBe("app:");
    expect(cache.outage).toBe(outage);
    expect(cache.stats()).toMatchObject({ backend: "local", pending: 1, outage });

    const heard: unknown[] = [];
    for (const name of ["backend", "recovered", "kept", "error"] as const) {
      cache.on(name, (event: CacheEvents[typeof name]) => heard.push([name, event]));
    }
    const tell = (to: unknown[], event: unknown) => {
      for (const listener of to) (listener as (event: unknown) => void)(event);
    };
    const change = {
      from: "local",
      to: "upstash",
      reason: "back",
      recovery: { replayed: 1, superseded: 2, dropped: 3 },
    };
    const failure = { operation: "replay", key: "a", error: new Error("no") };
    tell(listeners.change, change);
    tell(listeners.kept, { mutations: 1, pending: 1 });
    tell(listeners.failure, failure);
    expect(heard).toEqual([
      ["backend", change],
      ["recovered", { reason: "back", replayed: 1, superseded: 2, dropped: 3 }],
      ["kept", { mutations: 1, pending: 1 }],
      ["error", failure],
    ]);
    expect(cache.stats().errors).toBe(1);
  });
});
