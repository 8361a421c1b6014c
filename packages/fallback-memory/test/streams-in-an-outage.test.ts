import type { Reply, Transport } from "@continuum-cache/core";
import { type JournalStore, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

const one = async (transport: Transport, ...command: [string, ...(string | number)[]]) =>
  (await transport.send([command]))[0] as Reply;
const idsIn = async (transport: Transport, key: string) =>
  ((await one(transport, "XRANGE", key, "-", "+")) as [string, string[]][]).map(([id]) => id);
const valuesIn = async (transport: Transport, key: string) =>
  ((await one(transport, "XRANGE", key, "-", "+")) as [string, string[]][]).map(([, [, value]]) => value);

describe("an entry that is appended to a stream while the primary is away", () => {
  let primary: Switchable;
  let transport: Transport;
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
    primary = switchable();
    transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "100ms" });
  });
  afterEach(async () => {
    await transport.close();
    vi.useRealTimers();
  });
  const goAway = () => primary.fail("unreachable", { delivery: "none" });
  const comeBack = async () => {
    primary.restore();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(transport.status).toMatchObject({ currentBackend: "upstash", pending: 0 });
  };

  it("keeps the id that its caller got", async () => {
    await one(transport, "XADD", "log", "*", "f", "before");
    goAway();
    await vi.advanceTimersByTimeAsync(5);
    const told = [
      await one(transport, "XADD", "log", "*", "f", "a"),
      await one(transport, "XADD", "log", "*", "f", "b"),
    ];
    await comeBack();
    expect(await idsIn(primary.store, "log")).toEqual(["1000000-0", ...told]);
  });

  it("goes behind entries that others have appended since, under another id", async () => {
    goAway();
    const told = await one(transport, "XADD", "log", "MAXLEN", 10, "*", "f", "mine");
    await vi.advanceTimersByTimeAsync(5);
    const theirs = await one(primary.store, "XADD", "log", "*", "f", "theirs");
    await comeBack();
    expect(await valuesIn(primary.store, "log")).toEqual(["theirs", "mine"]);
    expect(await idsIn(primary.store, "log")).toEqual([theirs, expect.not.stringMatching(String(told))]);
  });

  it("is not replayed if it was deleted again, also if others have appended entries", async () => {
    goAway();
    const told = String(await one(transport, "XADD", "log", "*", "f", "mine"));
    await one(transport, "XDEL", "log", told);
    await vi.advanceTimersByTimeAsync(5);
    await one(primary.store, "XADD", "log", "*", "f", "theirs");
    await comeBack();
    expect(await valuesIn(primary.store, "log")).toEqual(["theirs"]);
  });

  it("is refused, and reported as a failure, if its caller chose an id that is too small by then", async () => {
    const failures: string[] = [];
    transport.status?.onFailure?.(({ error }) => failures.push(error.message));
    goAway();
    await one(transport, "XADD", "log", "5-0", "f", "mine");
    await one(primary.store, "XADD", "log", "6-0", "f", "theirs");
    await comeBack();
    expect(await valuesIn(primary.store, "log")).toEqual(["theirs"]);
    expect(failures.join()).toMatch(/equal or smaller/);
  });

  it("makes no group skip entries of the primary, and keeps the pending entries of consumers", async () => {
    await one(transport, "XADD", "jobs", "1-0", "f", "backlog");
    await one(transport, "XGROUP", "CREATE", "jobs", "g", "0");
    goAway();
    await one(transport, "XGROUP", "CREATE", "jobs", "g", "$", "MKSTREAM");
    const told = await one(transport, "XADD", "jobs", "*", "f", "new");
    await one(transport, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "jobs", ">");
    await comeBack();
    expect(await one(primary.store, "XPENDING", "jobs", "g", "-", "+", 9)).toMatchObject([[told, "c", {}, 1]]);
    expect(await one(primary.store, "XREADGROUP", "GROUP", "g", "d", "COUNT", 1, "STREAMS", "jobs", ">")).toEqual([
      ["jobs", [["1-0", ["f", "backlog"]]]],
    ]);
  });

  it("survives the process with its id, and may still get another id", async () => {
    let kept: Uint8Array[] = [];
    const store: JournalStore = {
      read: async () => [...kept],
      append: async (records) => void kept.push(...records),
      rewrite: async (records) => {
        kept = [...records];
      },
      close: async () => {},
    };
    const open = (via: Transport) =>
      withFallback(via, memoryTransport(), { healthCheckInterval: "100ms", journal: { store } });
    goAway();
    // Its primary never comes back to it.
    const dead = switchable(primary.store);
    dead.fail("unreachable", { delivery: "none" });
    const first = open(dead);
    const told = String(await one(first, "XADD", "a", "*", "f", "mine"));
    await one(first, "XADD", "b", "*", "f", "mine");
    await vi.advanceTimersByTimeAsync(5);
    const second = open(primary);
    expect(await idsIn(second, "a")).toEqual([told]);
    await one(primary.store, "XADD", "b", "*", "f", "theirs");
    primary.restore();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await idsIn(primary.store, "a")).toEqual([told]);
    expect(await valuesIn(primary.store, "b")).toEqual(["theirs", "mine"]);
    await second.close();
  });
});
