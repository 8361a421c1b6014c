import type { Command } from "@continuum-cache/core";
import { defineScript } from "@continuum-cache/core/kit";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

const calling = (name: string, ...words: readonly string[]) =>
  defineScript({
    name: `calling-${name}`,
    keys: 0,
    lua: `redis.call("SET", "told", "1") return redis.call("${[name, ...words].join('", "')}")`,
    memory({ call }) {
      call("SET", "told", "1");
      return call(name, ...words);
    },
  }).lua;

describe("a command that the memory can't run", () => {
  let primary: Switchable;
  let transport: ReturnType<typeof withFallback>;
  beforeEach(async () => {
    primary = switchable();
    transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "10ms" });
    primary.fail("unreachable", { delivery: "none" });
    await transport.send([["SET", "own", "1"]]);
  });
  afterEach(() => transport.close());

  it.each<readonly [string, Command]>([
    ["a command", ["SADD", "set", "a"]],
    ["a command of another case", ["sadd", "set", "a"]],
    ["a subcommand", ["XINFO", "HELP"]],
    ["an option", ["XINFO", "STREAM", "stream", "FULL"]],
    ["waiting", ["XREAD", "BLOCK", 10, "STREAMS", "stream", "0"]],
    ["Lua that this process has not defined", ["EVAL", "return 1", 0]],
    ["a script on a key that is no text", ["EVAL", calling("PING"), 1, Uint8Array.of(0xff)]],
  ])("rejects in an outage, alone, in a pipeline and in a transaction: %s", async (_, command) => {
    await primary.store.send([["XADD", "stream", "*", "a", "b"]]);
    await transport.send([["XADD", "stream", "*", "a", "b"]]);
    const away = { name: "TransportError", kind: "unreachable", message: expect.stringContaining("primary is away") };
    await expect(transport.send([command])).rejects.toMatchObject(away);
    for (const atomic of [false, true]) {
      await expect(transport.send([["GET", "own"], command, ["GET", "own"]], { atomic })).rejects.toMatchObject(away);
    }
    // The memory itself, where it is no stand-in, answers like a Redis of its own.
    const [reply] = await memoryTransport().send([command]);
    expect(String((reply as Error | null)?.message ?? reply)).not.toContain("primary");
  });

  it("runs no command of a trip if it is known beforehand", async () => {
    const before = transport.status?.pending;
    const trip = transport.send([
      ["SET", "other", "1"],
      ["SADD", "set", "a"],
    ]);
    await expect(trip).rejects.toMatchObject({ delivery: "none" });
    expect(transport.status?.pending).toBe(before);
    expect(await transport.send([["GET", "other"]])).toEqual([null]);
  });

  it("rejects with delivery unknown if a script calls it", async () => {
    const trip = transport.send([["EVAL", calling("SADD", "set", "a"), 0]]);
    await expect(trip).rejects.toMatchObject({ name: "TransportError", kind: "unreachable", delivery: "unknown" });
    primary.restore();
    await expect.poll(() => transport.status?.currentBackend).toBe("upstash");
    expect(await primary.store.send([["MGET", "own", "told"]])).toEqual([["1", "1"]]);
  });

  it("does not replace errors of Redis: wrong arguments, wrong types, unknown hashes of scripts", async () => {
    const replies = await transport.send([["GET"], ["LPUSH", "own", "a"], ["EVALSHA", "0".repeat(40), 0]]);
    expect(replies.map((reply) => (reply as { code?: string }).code)).toEqual(["ERR", "WRONGTYPE", "NOSCRIPT"]);
  });
});
