import { type Command, CommandError, type Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

afterEach(() => void vi.useRealTimers());

/** A process that has set these keys before its primary goes away. */
async function leave(
  values: Readonly<Record<string, string>>,
  last: readonly Command[] = [],
  before: (transport: Transport, primary: Switchable) => Promise<void> = async () => {},
) {
  vi.useFakeTimers({ toFake: ["Date", "performance"] });
  const clock = { now: () => Date.now() };
  const primary = switchable();
  const local = memoryTransport({ clock });
  const transport = withFallback(primary, local, { clock, warmStart: { maxAge: "10s" } });
  const sets = Object.entries(values).map(([key, value]): Command => ["SET", key, value]);
  await transport.send([...sets, ...last]);
  const written: string[] = [];
  local.onWrite(({ args: [key] }) => void written.push(String(key)));
  await before(transport, primary);
  primary.fail("unreachable", { delivery: "none" });
  // Of the keys that the first call writes it is not certain what the primary holds.
  await transport.send([["PING"]]);
  const send = async (...commands: Command[]) => transport.send(commands);
  return { primary, transport, send, written, wait: (ms: number) => vi.advanceTimersByTime(ms) };
}

describe("a warm start", () => {
  it("gives the memory only the values that a call needs", async () => {
    const values = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`key:${at}`, String(at)]));
    const { send, written } = await leave(values);
    expect(await send(["GET", "key:7"], ["MGET", "key:8", "none"])).toEqual(["7", ["8", null]]);
    expect(written).toEqual(["key:7", "key:8"]);
  });

  it("serves a value no longer than maxAge after it was seen", async () => {
    const { send, wait } = await leave({ a: "1", b: "2" });
    wait(9_999);
    expect(await send(["GET", "a"])).toEqual(["1"]);
    wait(1);
    expect(await send(["MGET", "a", "b"])).toEqual([[null, null]]);
  });

  it("applies writes to the last seen value, and keeps later writes", async () => {
    const { send } = await leave({ n: "5", text: "a", set: "old" });
    expect(await send(["INCR", "n"], ["INCR", "n"], ["APPEND", "text", "b"], ["SETNX", "set", "x"])).toEqual([
      6, 7, 2, 0,
    ]);
    expect(await send(["SET", "set", "new"], ["GET", "set"], ["GET", "n"])).toEqual(["OK", "new", "7"]);
    expect(await send(["GET", "set"], ["GET", "text"])).toEqual(["new", "ab"]);
  });

  it("restores no value that was deleted, by its key or by a pattern", async () => {
    const { transport, send } = await leave({ a: "1", b: "2", "p:1": "3", "p:2": "4" });
    expect(await send(["DEL", "a"], ["GETDEL", "b"])).toEqual([1, "2"]);
    await transport.send([["SCAN", "0", "MATCH", "p:*"]], { invalidates: ["p:*"] });
    expect(await send(["MGET", "a", "b", "p:1", "p:2"])).toEqual([[null, null, null, null]]);
  });

  it("restores no value that was deleted before, or changed by a write without a known result", async () => {
    const { send } = await leave({ a: "1", b: "2" }, [
      ["DEL", "a"],
      ["APPEND", "b", "x"],
    ]);
    expect(await send(["MGET", "a", "b"])).toEqual([[null, null]]);
  });

  it("serves no value that a failed write may have changed", async () => {
    const { send } = await leave({ a: "1", b: "2" }, [], async (sender, server) => {
      server.fail("aborted");
      await expect(sender.send([["APPEND", "a", "x"]])).rejects.toThrow("away");
      server.restore();
    });
    expect(await send(["MGET", "a", "b"])).toEqual([[null, "2"]]);
  });

  it("serves no value that a failed script may have written", async () => {
    const { send } = await leave({ a: "1", b: "2" }, [], async (sender, server) => {
      const error = new CommandError("ERR user_script:1: too far");
      vi.spyOn(server, "send").mockResolvedValueOnce([error]);
      expect(await sender.send([["EVAL", "redis.call('SET', KEYS[1], '3') error('too far')", 1, "a"]])).toEqual([
        error,
      ]);
    });
    expect(await send(["MGET", "a", "b"])).toEqual([[null, "2"]]);
  });

  it("serves no value that a failed write may have changed, also if its expiry was set since", async () => {
    const { send } = await leave({ a: "1", b: "2" }, [], async (sender, server) => {
      server.fail("aborted");
      await expect(sender.send([["SET", "a", "x"]])).rejects.toThrow("away");
      server.restore();
      expect(await sender.send([["EXPIRE", "a", 60]])).toEqual([1]);
      expect(await sender.send([["PERSIST", "a"]])).toEqual([1]);
    });
    expect(await send(["MGET", "a", "b"])).toEqual([[null, "2"]]);
  });

  it("serves no value that a write in flight may still change", async () => {
    let release = (): void => {};
    let underWay: Promise<unknown> = Promise.resolve();
    const { send } = await leave({ a: "1", b: "2" }, [], async (sender, server) => {
      release = server.hold();
      underWay = sender.send([["APPEND", "a", "x"]]);
    });
    expect(await send(["MGET", "a", "b"])).toEqual([[null, "2"]]);
    release();
    expect(await underWay).toEqual([2]);
  });
});
