import { isTransportError } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { describe, expect, it } from "vitest";
import { closing, waitFor } from "../log/logs.ts";
import { regionsOf, ways } from "../relay/regions.ts";
import { instanceOn } from "./caches.ts";

// Changes that cannot be published, cannot be applied, or were missed.

const opened = closing();

describe.each(ways)("over the %s", (way) => {
  it("a delete that waits in the log's outbox takes effect here at once, and everywhere in the end", async () => {
    const { east, key } = await regionsOf(way, opened, ["east"]);
    const a = instanceOn(opened, east.connect(), "a", key, { logTransport: east.reach() });
    const b = instanceOn(opened, east.connect(), "b", key);
    await a.shared.delete("memory:0");
    await waitFor(() => expect(b.emitted.applied.length).toBe(1));
    east.proxy.set({ kind: "refuse" });
    east.proxy.cut();
    await a.cache.setMany({ "memory:1": 1, "memory:2": 2 });
    expect(await a.shared.delete("memory:1")).toBe(1);
    expect(await a.shared.delete("memory:2")).toBe(1);
    expect(a.shared.federation.pending).toBe(2);
    east.proxy.set({ kind: "pass" });
    await waitFor(() => expect(b.emitted.applied.length).toBe(3));
    expect(a.shared.federation.pending).toBe(0);
    expect(a.emitted.deferred).toEqual([]);
  });

  it("when the log has no room, other instances delete everything in scope once that can be published", async () => {
    const { east, west, key, carry } = await regionsOf(way, opened);
    carry(east, west);
    const a = instanceOn(opened, east.connect(), "a", key, {
      logTransport: east.reach(),
      log: { outbox: { maxMessages: 2 } },
    });
    const b = instanceOn(opened, west.connect(), "b", key);
    const keys = Array.from({ length: 8 }, (_, at) => `memory:${at}`);
    await a.shared.delete("memory:none");
    await waitFor(() => expect(b.emitted.applied.length).toBe(1));
    east.proxy.set({ kind: "refuse" });
    east.proxy.cut();
    await Promise.all(
      [a, b].map(({ cache }) => cache.setMany(Object.fromEntries([...keys, "other"].map((one) => [one, 1])))),
    );
    for (const one of keys.slice(0, 6)) expect(await a.shared.delete(one)).toBe(1);
    expect(a.emitted.deferred).toEqual([{ keys: "everything" }]);
    expect(a.shared.federation.pending).toBe(3);
    expect(await b.cache.getMany(keys)).toEqual(keys.map(() => 1));
    east.proxy.set({ kind: "pass" });
    await waitFor(async () => expect(await b.cache.getMany(keys)).toEqual(keys.map(() => undefined)));
    expect(await b.cache.get("other")).toBe(1);
    // The keys stay here: only the others have to delete them.
    expect(await a.cache.getMany(keys.slice(6))).toEqual([1, 1]);
    await waitFor(() => expect(a.shared.federation.pending).toBe(0));
  });

  it("a delete with `fallback: false` rejects when it cannot be published, and succeeds when repeated", async () => {
    const { east, key } = await regionsOf(way, opened, ["east"]);
    const a = instanceOn(opened, east.connect(), "a", key, { logTransport: east.reach() });
    const b = instanceOn(opened, east.connect(), "b", key);
    await a.shared.delete("memory:0");
    east.proxy.set({ kind: "refuse" });
    east.proxy.cut();
    await a.cache.set("memory:1", 1);
    await expect(a.shared.delete("memory:1", { fallback: false })).rejects.toSatisfy(isTransportError);
    expect(await a.cache.get("memory:1")).toBeUndefined();
    expect(a.shared.federation.pending).toBe(0);
    east.proxy.set({ kind: "pass" });
    await waitFor(() => a.shared.delete("memory:1", { fallback: false }));
    // The first may have been appended nevertheless, when only its reply was lost.
    await waitFor(() => expect(b.emitted.applied.length).toBeGreaterThanOrEqual(2));
  });

  it("rejects when the log is closed, as the delete could not be published", async () => {
    const { east, key } = await regionsOf(way, opened, ["east"]);
    const a = instanceOn(opened, east.connect(), "a", key);
    await a.log.close();
    await expect(a.shared.delete("memory:1")).rejects.toMatchObject({ kind: "closed" });
  });

  it("a change is retried until it is applied, and committed only then", async () => {
    const { east, west, key } = await regionsOf(way, opened);
    // Both logs are in the east; the cache of b is in the west.
    const a = instanceOn(opened, east.connect(), "a", key);
    const b = instanceOn(opened, west.reach(), "b", key, { logTransport: east.connect() });
    await b.cache.set("memory:1", 1);
    await a.shared.delete("memory:0");
    await waitFor(() => expect(b.emitted.applied.length).toBe(1));
    west.proxy.set({ kind: "blackhole" });
    west.proxy.cut();
    for (const one of ["memory:1", "memory:2", "memory:3"]) await a.shared.delete(one);
    await waitFor(() => expect(b.emitted.error.length).toBe(3));
    expect((await b.log.stats()).origins["a"]).toMatchObject({ lastSeq: 4, behind: 3 });
    west.proxy.set({ kind: "pass" });
    west.proxy.cut();
    await waitFor(() => expect(b.emitted.applied.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]));
    expect(await b.cache.get("memory:1")).toBeUndefined();
    await waitFor(async () => expect((await b.log.stats()).origins["a"]?.behind).toBe(0));
    // Reported once for each change, however often it was retried.
    expect(b.emitted.error.length).toBe(3);
  });

  it("a change that was not applied when a process ended is applied by the next one of the same name", async () => {
    const { east, key, west } = await regionsOf(way, opened);
    // Both logs are in the east; the cache of b is in the west.
    const a = instanceOn(opened, east.connect(), "a", key);
    const first = instanceOn(opened, west.reach(), "b", key, { logTransport: east.connect() });
    await first.cache.setMany({ "memory:1": 1, "memory:2": 2 });
    await a.shared.delete("memory:1");
    await waitFor(() => expect(first.emitted.applied.length).toBe(1));
    west.proxy.set({ kind: "refuse" });
    west.proxy.cut();
    await a.shared.delete("memory:2");
    await waitFor(() => expect(first.emitted.error.length).toBeGreaterThan(0));
    await first.shared.close();
    await first.log.close();
    expect(first.emitted.applied.length).toBe(1);
    west.proxy.set({ kind: "pass" });
    const second = instanceOn(opened, west.reach(), "b", key, { logTransport: east.connect() });
    await waitFor(() => expect(second.emitted.applied).toEqual([{ origin: "a", seq: 2 }]));
    expect(await second.cache.get("memory:2")).toBeUndefined();
  });

  it("closes without an error when the cache is closed before it", async () => {
    const { east, west, key } = await regionsOf(way, opened);
    const a = instanceOn(opened, east.connect(), "a", key);
    const b = instanceOn(opened, west.connect(), "b", key, { logTransport: east.connect() });
    await a.shared.delete("memory:0");
    await waitFor(() => expect(b.emitted.applied.length).toBe(1));
    await b.cache.close();
    await a.shared.delete("memory:1");
    await waitFor(() => expect(b.emitted.error).toMatchObject([{ operation: "apply", error: { kind: "closed" } }]));
    await b.shared.close();
    expect(b.emitted.applied.length).toBe(1);
    await expect(b.shared.delete("memory:2")).rejects.toMatchObject({ kind: "closed" });
  });

  it("deletes everything in scope after a gap before it continues", async () => {
    const { east, key, west, carry } = await regionsOf(way, opened);
    carry(east, west);
    const a = instanceOn(opened, east.connect(), "a", key);
    const first = instanceOn(opened, west.connect(), "b", key);
    await a.shared.delete("memory:0");
    await waitFor(() => expect(first.emitted.applied.length).toBe(1));
    await first.shared.close();
    await first.log.close();
    await first.cache.setMany({ "memory:1": 1, "memory:2": 2, "memory:9": 9, other: 1 });
    for (const one of ["memory:1", "memory:2", "memory:3"]) await a.shared.delete(one);
    await waitFor(async () => expect(await west.length("a")).toBe(4));
    await west.redis.command("XTRIM", `${key}:a`, "MAXLEN", 1);
    const second = instanceOn(opened, west.connect(), "b", key);
    await waitFor(() => expect(second.emitted.applied).toEqual([{ origin: "a", seq: 4 }]));
    expect(second.emitted.gap).toEqual([{ origin: "a", missed: 2, fromSeq: 2, toSeq: 3, reason: "retention" }]);
    expect(await second.cache.getMany(["memory:1", "memory:2", "memory:9", "other"])).toEqual([
      undefined,
      undefined,
      undefined,
      1,
    ]);
  });

  it("reaches the local cache while the primary is away, and the primary when it is back", async () => {
    const { east, key, west } = await regionsOf(way, opened);
    const a = instanceOn(opened, east.connect(), "a", key);
    const standIn = opened(withFallback(west.reach(), memoryTransport(), { healthCheckInterval: "200ms" }));
    const b = instanceOn(opened, standIn, "b", key, { logTransport: east.connect() });
    await b.cache.set("memory:1", "old");
    await a.shared.delete("memory:0");
    await waitFor(() => expect(b.emitted.applied.length).toBe(1));
    west.proxy.set({ kind: "refuse" });
    west.proxy.cut();
    await b.cache.set("memory:2", "kept here");
    expect(b.cache.currentBackend).toBe("local");
    await a.shared.delete("memory:1");
    await a.shared.delete("memory:2");
    await waitFor(async () => expect(await b.cache.get("memory:2")).toBeUndefined());
    expect(b.cache.currentBackend).toBe("local");
    expect(b.emitted.applied.length).toBe(1);
    west.proxy.set({ kind: "pass" });
    await waitFor(() => expect(b.emitted.applied.length).toBe(3));
    expect(b.cache.currentBackend).toBe("upstash");
    expect(await b.cache.getMany(["memory:1", "memory:2"], { fallback: false })).toEqual([undefined, undefined]);
  });
});
