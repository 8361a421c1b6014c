import { guarded, type Transport } from "@continuum-cache/core";
import { batched, primaryOf } from "@continuum-cache/core/kit";
import { type MemoryTransport, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

let primary: Switchable;
let local: MemoryTransport;
let transport: Transport;

beforeEach(() => {
  vi.useFakeTimers();
  primary = switchable();
  local = memoryTransport();
  transport = withFallback(primary, local, { healthCheckInterval: "10s", warmStart: { maxAge: "1m" } });
});
afterEach(async () => {
  await transport.close();
  vi.useRealTimers();
});

const get = async (from: Transport, key: string) => (await from.send([["GET", key]]))[0];
const set = (to: Transport, key: string, value: string) => to.send([["SET", key, value]]);
const away = async () => {
  primary.fail("unreachable");
  await transport.send([["PING"]]);
  expect(transport.status?.currentBackend).toBe("local");
};

describe("the primary of a transport with a fallback", () => {
  it("has the same name as without a fallback", () => {
    expect(primaryOf(transport).name).toBe("switchable");
  });

  it("leaves no trace in the last seen values", async () => {
    await primary.store.send([["MSET", "cached", "1", "read", "1"]]);
    await get(transport, "cached");
    await get(primaryOf(transport), "read");
    await set(primaryOf(transport), "written", "1");
    await away();
    expect(await get(transport, "cached")).toBe("1");
    expect([await get(transport, "read"), await get(transport, "written")]).toEqual([null, null]);
  });

  it("rejects if the primary does not answer, and answers during an outage of the fallback", async () => {
    await away();
    await expect(set(primaryOf(transport), "a", "1")).rejects.toMatchObject({ kind: "unreachable" });
    primary.restore();
    expect(await set(primaryOf(transport), "a", "1")).toEqual(["OK"]);
    expect(await get(primary.store, "a")).toBe("1");
    expect(await get(local, "a")).toBeNull();
  });

  it("refuses keys that the primary does not know yet, so that a later replay undoes nothing", async () => {
    await away();
    await transport.send([["DEL", "limit:ann"]]);
    primary.restore();
    const early = set(primaryOf(transport), "limit:ann", "new");
    await expect(early).rejects.toMatchObject({ kind: "unreachable", delivery: "none" });
    expect(await set(primaryOf(transport), "limit:bob", "new")).toEqual(["OK"]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(transport.status?.currentBackend).toBe("upstash");
    expect(await set(primaryOf(transport), "limit:ann", "new")).toEqual(["OK"]);
    expect(await get(primary.store, "limit:ann")).toBe("new");
  });

  it("hears the primary's messages only", async () => {
    const heard: string[] = [];
    const listener = {
      message: ({ data }: { data: string | Uint8Array }) => heard.push(String(data)),
      interrupted() {},
    };
    await primaryOf(transport).subscribe?.({ channels: ["c"] }, listener);
    await primary.store.send([["PUBLISH", "c", "from the server"]]);
    await away();
    await transport.send([["PUBLISH", "c", "from here"]]);
    await vi.advanceTimersByTimeAsync(10);
    expect(heard).toEqual(["from the server"]);
  });

  it("rejects after the transport was closed", async () => {
    const past = primaryOf(transport);
    await transport.close();
    await expect(get(past, "a")).rejects.toMatchObject({ kind: "closed" });
  });

  it.each<[string, (inner: Transport) => Transport]>([
    ["guarded", (inner) => guarded(inner, { retries: 0 })],
    ["batched", batched],
  ])("is the primary behind a decorator that does not name it (%s), too", async (_, decorate) => {
    const past = primaryOf(decorate(transport));
    expect(await set(past, "a", "1")).toEqual(["OK"]);
    await away();
    await expect(set(past, "b", "2")).rejects.toMatchObject({ kind: "unreachable" });
    expect(transport.status?.pending).toBe(0);
    expect(await get(local, "b")).toBeNull();
  });

  it.each<[string, (inner: Transport, send: Transport["send"]) => Transport]>([
    ["a copy of it", (inner, send) => ({ ...inner, send })],
    ["an object that inherits from it", (inner, send) => Object.assign(Object.create(inner), { send })],
    ["the transport itself", (inner, send) => Object.assign(inner, { send })],
  ])("is reached through the `send` that %s was given", async (_, decorate) => {
    const seen: unknown[] = [];
    const { send } = transport;
    const past = primaryOf(
      decorate(transport, (commands, options) => {
        seen.push(...commands);
        return send(commands, options);
      }),
    );
    expect(await set(past, "a", "1")).toEqual(["OK"]);
    await away();
    await expect(set(past, "b", "2")).rejects.toMatchObject({ kind: "unreachable" });
    expect(seen.slice(0, 1)).toEqual([["SET", "a", "1"]]);
    expect(seen.at(-1)).toEqual(["SET", "b", "2"]);
    expect(await get(local, "b")).toBeNull();
  });

  it("is the transport itself without a fallback", () => {
    expect(primaryOf(local)).toBe(local);
    expect(primaryOf(primary.store)).toBe(primary.store);
  });
});
