import { Cache } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

const caches: Cache[] = [];
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

/** A process whose primary can go away, and another one that still reaches it. */
function twoProcesses() {
  const store = memoryTransport();
  const primary = switchable(store);
  const cut = new Cache({ transport: withFallback(primary, memoryTransport(), { healthCheckInterval: "10ms" }) });
  const other = new Cache({ transport: store });
  caches.push(cut, other);
  return {
    cut,
    other,
    async leave() {
      primary.fail("unreachable", { delivery: "none" });
      await cut.get("none");
      expect(cut.currentBackend).toBe("local");
    },
    async comeBack() {
      primary.restore();
      await expect.poll(() => cut.currentBackend).toBe("upstash");
      expect(cut.pending).toBe(0);
    },
  };
}

describe("tags while the primary is away", () => {
  it("are verified in the memory of the process, which serves what it has stored itself", async () => {
    const { cut, leave } = twoProcesses();
    await leave();
    await cut.set("a", 1, { tags: ["t"] });
    expect(await cut.get("a")).toBe(1);
    await cut.invalidateTags("t");
    expect(await cut.get("a")).toBeUndefined();
  });

  it("serves no value after the return that was stored meanwhile: others may have invalidated it", async () => {
    const { cut, other, leave, comeBack } = twoProcesses();
    await leave();
    await cut.set("a", 1, { tags: ["t"] });
    await other.invalidateTags("t");
    await comeBack();
    expect([await cut.get("a"), await other.get("a")]).toEqual([undefined, undefined]);
    await other.set("a", 2, { tags: ["t"] });
    expect([await cut.get("a"), await other.get("a")]).toEqual([2, 2]);
  });

  it("serves no value after the return that another process has invalidated meanwhile", async () => {
    const { cut, other, leave, comeBack } = twoProcesses();
    await cut.set("a", 1, { tags: ["t"] });
    await leave();
    await other.invalidateTags("t");
    await comeBack();
    expect([await cut.get("a"), await other.get("a")]).toEqual([undefined, undefined]);
  });

  it("replays an invalidation, also of what other processes have stored meanwhile", async () => {
    const { cut, other, leave, comeBack } = twoProcesses();
    await cut.set("a", 1, { tags: ["t", "u"] });
    await leave();
    await other.invalidateTags("t");
    await other.set("a", 2, { tags: ["t"] });
    await other.set("b", 3, { tags: ["u"] });
    await cut.invalidateTags("t", "u");
    expect(await cut.get("a")).toBeUndefined();
    await comeBack();
    expect([await cut.get("a"), await other.get("a"), await other.get("b")]).toEqual([undefined, undefined, undefined]);
  });

  it("replays an invalidation although the process has stored a value with the tag behind it", async () => {
    const { cut, other, leave, comeBack } = twoProcesses();
    await cut.set("a", 1, { tags: ["t"] });
    await leave();
    await cut.invalidateTags("t");
    await cut.set("b", 2, { tags: ["t"] });
    await comeBack();
    expect([await cut.get("a"), await other.get("a"), await other.get("b")]).toEqual([undefined, undefined, undefined]);
  });

  it("holds for the values of a namespace too", async () => {
    const { cut, other, leave, comeBack } = twoProcesses();
    const tenant = cut.namespace("tenant:7");
    await leave();
    await tenant.set("k", 1);
    expect(await tenant.get("k")).toBe(1);
    await comeBack();
    expect(await tenant.get("k")).toBeUndefined();
    await tenant.set("k", 2);
    expect(await other.namespace("tenant:7").get("k")).toBe(2);
  });
});
