import { CommandError, type Reply, type Transport } from "@continuum-cache/core";
import { defineScript, knownCommands, runScript } from "@continuum-cache/core/kit";
import { scaled } from "@continuum-cache/test-scale";
import { memoryTransport } from "@continuum-cache/transport-memory";
import { afterEach, describe, expect, it, vi } from "vitest";
import { commandRows } from "../src/engine.ts";

const one = async (transport: Transport, ...command: [string, ...(string | number | Uint8Array)[]]) =>
  (await transport.send([command]))[0] as Reply;
const error = (text: string) => new CommandError(text);

describe("memoryTransport", () => {
  it("is local and has nothing pending", () => {
    const memory = memoryTransport();
    expect(memory.name).toBe("memory");
    expect(memory.status).toMatchObject({ currentBackend: "local", pending: 0 });
  });

  it("has every command of the table, and no other", () => {
    expect([...commandRows.keys()].sort()).toEqual([...knownCommands].sort());
  });

  it.each([{ maxBytes: 0 }, { maxBytes: 1.5 }, { maxBytes: Number.NaN }, { maxEntries: -1 }])(
    "refuses %o by the option's name",
    (options) => {
      expect(() => memoryTransport(options)).toThrow(new RegExp(Object.keys(options)[0] as string));
    },
  );

  it("takes command names in any case", async () => {
    expect(
      await memoryTransport().send([
        ["sEt", "a", 1],
        ["get", "a"],
        ["GeT", "a"],
      ]),
    ).toEqual(["OK", "1", "1"]);
  });

  it("rejects invalid arguments before any command has run", async () => {
    const memory = memoryTransport();
    const trip = memory.send([
      ["SET", "a", "1"],
      ["SET", "b", undefined as never],
    ]);
    await expect(trip).rejects.toMatchObject({ name: "TransportError", kind: "protocol", delivery: "none" });
    expect(await one(memory, "EXISTS", "a")).toBe(0);
  });

  it("names an unknown command and none of its arguments", async () => {
    const reply = await one(memoryTransport(), "JSON.GET", "canary");
    expect(reply).toEqual(error("ERR unknown command 'JSON.GET'"));
  });

  it("discards an atomic trip with a bad command, which holds its own error", async () => {
    const memory = memoryTransport();
    const aborted = error("EXECABORT Transaction discarded because of previous errors.");
    expect(await memory.send([["SET", "a", 1], ["GET"], ["INCR", "a"]], { atomic: true })).toEqual([
      aborted,
      error("ERR wrong number of arguments for 'get' command"),
      aborted,
    ]);
    expect(await one(memory, "EXISTS", "a")).toBe(0);
  });

  it("keeps its own copy of bytes", async () => {
    const memory = memoryTransport();
    const bytes = new Uint8Array([0xff, 1, 2]);
    await one(memory, "SET", "a", bytes);
    bytes[1] = 9;
    const reply = (await one(memory, "GET", "a")) as Uint8Array;
    reply[2] = 9;
    expect(await one(memory, "GET", "a")).toEqual(new Uint8Array([0xff, 1, 2]));
  });

  it("reads bytes that are text back as text, and a lone surrogate as U+FFFD", async () => {
    const memory = memoryTransport();
    await one(memory, "SET", "a", new TextEncoder().encode("grüße"));
    await one(memory, "SET", new TextEncoder().encode("b"), "x\ud800y");
    expect(await one(memory, "MGET", "a", "b")).toEqual(["grüße", "x\ufffdy"]);
  });

  it("keeps keys and fields of bytes apart from those of text", async () => {
    const memory = memoryTransport();
    const key = new Uint8Array([0xff, 0x61]);
    await memory.send([
      ["SET", key, 1],
      ["SET", "\ufffda", 2],
      ["HSET", "h", key, 1, "\ufffda", 2],
    ]);
    expect(await one(memory, "DBSIZE")).toBe(3);
    expect(await one(memory, "GET", key)).toBe("1");
    expect(await one(memory, "HKEYS", "h")).toEqual([key, "\ufffda"]);
    expect(await one(memory, "KEYS", "?a")).toEqual([key]);
  });

  it("reports true facts in INFO", async () => {
    let nowMs = 1_000_000;
    const memory = memoryTransport({ maxBytes: 10_000, clock: { now: () => nowMs } });
    await memory.send([
      ["SET", "a", "x".repeat(100)],
      ["SET", "b", 1, "EX", 10],
    ]);
    nowMs += 5_000;
    const info = String(await one(memory, "INFO"));
    expect(info).toContain("redis_version:7.0.0-compatible\r\n");
    expect(info).toContain(`used_memory:${352 + 1 + 100 + 352 + 1 + 1}\r\n`);
    expect(info).toContain("used_memory_human:807B\r\n");
    expect(info).toContain("maxmemory:10000\r\n");
    expect(info).toContain("connected_clients:1\r\n");
    expect(info).toContain("total_commands_processed:3\r\n");
    expect(info).toContain("uptime_in_seconds:5\r\n");
    expect(info).toContain("db0:keys=2,expires=1,avg_ttl=0");
    nowMs += 5_000;
    expect(await one(memory, "INFO", "keyspace")).toContain("db0:keys=1,expires=0");
    expect(await one(memory, "INFO", "commandstats")).toContain("cmdstat_set:calls=2");
    expect(await one(memory, "TIME")).toEqual(["1010", "0"]);
  });
});

describe("counters", () => {
  it("count to the ends of 64 bits and no further", async () => {
    const memory = memoryTransport();
    const overflow = error("ERR increment or decrement would overflow");
    await memory.send([
      ["SET", "max", "9223372036854775806"],
      ["SET", "min", "-9223372036854775807"],
    ]);
    await memory.send([
      ["INCR", "max"],
      ["DECR", "min"],
    ]);
    expect(await one(memory, "MGET", "max", "min")).toEqual(["9223372036854775807", "-9223372036854775808"]);
    expect(
      await memory.send([
        ["INCR", "max"],
        ["INCRBY", "max", 1],
        ["DECR", "min"],
        ["INCRBY", "min", "-1"],
      ]),
    ).toEqual(Array.from({ length: 4 }, () => overflow));
    expect(await one(memory, "DECRBY", "min", "-9223372036854775808")).toEqual(error("ERR decrement would overflow"));
    expect(await one(memory, "HINCRBY", "h", "f", "9223372036854775807")).toBe(Number(2n ** 63n - 1n));
    expect(await one(memory, "HINCRBY", "h", "f", 1)).toEqual(overflow);
    expect(await one(memory, "MGET", "max", "min")).toEqual(["9223372036854775807", "-9223372036854775808"]);
  });

  it("keep every digit above 2^53, where a JavaScript number would not", async () => {
    const memory = memoryTransport();
    await memory.send([
      ["SET", "a", "9007199254740993"],
      ["INCRBY", "a", 2],
    ]);
    expect(await one(memory, "GET", "a")).toBe("9007199254740995");
  });
});

describe("the byte bound", () => {
  const used = async (memory: Transport) =>
    Number(/used_memory:(\d+)/.exec(String(await one(memory, "INFO", "memory")))?.[1]);

  it("evicts the least recently used key first", async () => {
    const size = 352 + 1 + 10;
    const memory = memoryTransport({ maxBytes: 3 * size });
    for (const key of ["a", "b", "c"]) await one(memory, "SET", key, "0123456789");
    await one(memory, "GET", "a");
    await one(memory, "SET", "d", "0123456789");
    expect((await one(memory, "KEYS", "*")) as string[]).toEqual(expect.arrayContaining(["a", "c", "d"]));
    expect(await one(memory, "GET", "b")).toBeNull();
    expect(await one(memory, "INFO", "stats")).toContain("evicted_keys:1");
  });

  it("holds no more keys than maxEntries", async () => {
    const memory = memoryTransport({ maxEntries: 10 });
    for (let index = 0; index < 100; index++) await one(memory, "SET", `k${index}`, index);
    expect(await one(memory, "DBSIZE")).toBe(10);
    expect(await one(memory, "GET", "k90")).toBe("90");
  });

  it("refuses a value larger than the bound, and changes nothing", async () => {
    const memory = memoryTransport({ maxBytes: 2_000 });
    const big = "x".repeat(2_000);
    const oom = error("OOM command not allowed when used memory > 'maxmemory'.");
    await memory.send([
      ["SET", "s", "old"],
      ["RPUSH", "l", "old"],
      ["HSET", "h", "f", "old"],
    ]);
    const trip = await memory.send([
      ["SET", "s", big],
      ["APPEND", "s", big],
      ["SETRANGE", "s", 1_999, "x"],
      ["GETSET", "s", big],
      ["MSET", "s", "new", "t", big],
      ["RPUSH", "l", "new", big],
      ["LSET", "l", 0, big],
      ["LINSERT", "l", "BEFORE", "old", big],
      ["HSET", "h", "g", "new", "f", big],
      ["RENAME", "s", big],
    ]);
    expect(trip).toEqual(trip.map(() => oom));
    expect(
      await memory.send([
        ["GET", "s"],
        ["LRANGE", "l", 0, -1],
        ["HGETALL", "h"],
        ["EXISTS", "t"],
      ]),
    ).toEqual(["old", ["old"], ["f", "old"], 0]);
  });

  it("allocates no memory for a refused length", async () => {
    const memory = memoryTransport({ maxBytes: 1_000 });
    expect(await one(memory, "SETRANGE", "s", 500_000_000, "x")).toMatchObject({ code: "OOM" });
    expect(await one(memory, "SETRANGE", "s", 536_870_912, "x")).toMatchObject({ code: "ERR" });
  });

  it("holds after every random write, and counts what is there", async () => {
    const rounds = scaled(10_000, 2_000);
    const maxBytes = 100_000;
    let nowMs = 0;
    const memory = memoryTransport({ maxBytes, clock: { now: () => nowMs } });
    const below = (limit: number) => Math.floor(Math.random() * limit);
    const text = () => (below(10) ? "ü".repeat(below(200)) : new Uint8Array(below(300)).fill(0xff));
    for (let round = 0; round < rounds; round++) {
      nowMs = Math.floor(round / 3);
      const key = `k${below(500)}`;
      await memory.send([
        [
          ["SET", key, text()],
          ["SET", key, text(), "PX", 1 + below(5)],
          ["APPEND", key, text()],
          ["RPUSH", key, text(), text()],
          ["LPOP", key, 1 + below(3)],
          ["LTRIM", key, below(2), -2],
          ["LSET", key, 0, text()],
          ["LREM", key, 0, ""],
          ["HSET", key, `f${below(9)}`, text()],
          ["HDEL", key, `f${below(9)}`],
          ["RENAME", key, `k${below(500)}`],
          ["LMOVE", key, `k${below(500)}`, "LEFT", "RIGHT"],
          ["DEL", key],
        ][below(13)] as never,
      ]);
      if ((await used(memory)) > maxBytes) expect.fail(`over the bound after ${round} writes`);
    }
    // A write clears away what is overdue, which KEYS does not tell.
    nowMs += 5;
    await one(memory, "SET", "last", "");
    const keys = (await one(memory, "KEYS", "*")) as string[];
    expect(keys.length).toBeGreaterThan(10);
    expect(await one(memory, "DEL", ...keys)).toBe(keys.length);
    expect(await used(memory)).toBe(0);
  });
});

describe("time to live", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("expires a key to the millisecond, without a timer", async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    const memory = memoryTransport();
    await memory.send([
      ["SET", "a", 1, "PX", 1_500],
      ["SET", "b", 1],
      ["PEXPIRE", "b", 1_501],
    ]);
    expect(vi.getTimerCount()).toBe(0);
    vi.setSystemTime(1_001_499);
    expect(
      await memory.send([
        ["PTTL", "a"],
        ["TTL", "a"],
        ["PEXPIRETIME", "a"],
      ]),
    ).toEqual([1, 0, 1_001_500]);
    expect(await one(memory, "EXISTS", "a", "b")).toBe(2);
    vi.setSystemTime(1_001_500);
    expect(await memory.send([["GET", "a"], ["PTTL", "a"], ["DBSIZE"], ["KEYS", "*"]])).toEqual([null, -2, 1, ["b"]]);
    vi.setSystemTime(1_001_501);
    expect(await memory.send([["SET", "b", 2, "XX"], ["SCAN", 0], ["RANDOMKEY"], ["DBSIZE"]])).toEqual([
      null,
      ["0", []],
      null,
      0,
    ]);
  });

  it("does not end in the middle of a trip", async () => {
    let nowMs = 0;
    const memory = memoryTransport({ clock: { now: () => nowMs++ } });
    expect(
      await memory.send([
        ["SET", "a", 1, "PX", 1],
        ["GET", "a"],
        ["PTTL", "a"],
      ]),
    ).toEqual(["OK", "1", 1]);
    expect(await one(memory, "GET", "a")).toBeNull();
  });

  it("frees the room of expired keys before it evicts others", async () => {
    let nowMs = 0;
    const memory = memoryTransport({ maxBytes: 10 * 363, clock: { now: () => nowMs } });
    await one(memory, "SET", "old", "0123456789");
    for (let index = 0; index < 8; index++) await one(memory, "SET", `s${index}`, "01234567", "PX", 10);
    nowMs = 10;
    for (let index = 0; index < 8; index++) await one(memory, "SET", `n${index}`, "01234567");
    expect(await one(memory, "GET", "old")).toBe("0123456789");
    expect(await one(memory, "INFO", "stats")).toContain("evicted_keys:0");
  });

  it("stays right for a key whose expiry is set a hundred thousand times", async () => {
    let nowMs = 0;
    const memory = memoryTransport({ clock: { now: () => nowMs } });
    await one(memory, "SET", "a", 1);
    for (; nowMs < 100_000; nowMs++) await one(memory, "PEXPIRE", "a", 1_000 + (nowMs % 7));
    expect(await one(memory, "PTTL", "a")).toBe(1_000 + (99_999 % 7) - 1);
    nowMs += 2_000;
    expect(await one(memory, "GET", "a")).toBeNull();
  });
});

describe("scripts", () => {
  const pay = defineScript({
    name: "test-pay",
    keys: 2,
    lua: `redis.call("DECRBY", KEYS[1], ARGV[1]) return redis.call("INCRBY", KEYS[2], ARGV[1])`,
    memory({ call, keys: [from = "", to = ""], args: [amount = ""] }) {
      call("DECRBY", from, amount);
      return call("INCRBY", to, amount);
    },
  });

  it("run by their TypeScript face", async () => {
    const memory = memoryTransport();
    await one(memory, "MSET", "a", 10, "b", 0);
    expect(await runScript(memory, pay, ["a", "b"], [3])).toBe(3);
    expect(await one(memory, "MGET", "a", "b")).toEqual(["7", "3"]);
  });

  it("are unknown by hash until a transport has run them", async () => {
    const memory = memoryTransport();
    const byHash = () => one(memory, "EVALSHA", pay.sha1.toUpperCase(), 2, "a", "b", 1);
    expect(await byHash()).toEqual(error("NOSCRIPT No matching script. Please use EVAL."));
    expect(await one(memory, "SCRIPT", "LOAD", pay.lua)).toBe(pay.sha1);
    expect(await one(memory, "SCRIPT", "EXISTS", pay.sha1, "f".repeat(40))).toEqual([1, 0]);
    expect(await byHash()).toBe(1);
    await one(memory, "SCRIPT", "FLUSH");
    expect(await byHash()).toMatchObject({ code: "NOSCRIPT" });
  });

  it("keep what they wrote before they failed", async () => {
    const memory = memoryTransport();
    await memory.send([
      ["SET", "a", 10],
      ["RPUSH", "b", "x"],
    ]);
    await expect(runScript(memory, pay, ["a", "b"], [3])).rejects.toMatchObject({ code: "WRONGTYPE" });
    expect(await one(memory, "GET", "a")).toBe("7");
  });

  it("refuse a Lua text that was not defined, and say what to do", async () => {
    expect(String(await one(memoryTransport(), "EVAL", "return 42", 0))).toMatch(/defineScript/);
  });

  it("return a bug in a face as an error that names the script and no value", async () => {
    const broken = defineScript({
      name: "test-broken",
      keys: 0,
      lua: `error("canary")`,
      memory() {
        throw new TypeError("canary");
      },
    });
    const reply = (await one(memoryTransport(), "EVAL", broken.lua, 0)) as CommandError;
    expect(reply.message).toBe('ERR The TypeScript face of the script "test-broken" failed');
    expect(reply.cause).toBeInstanceOf(TypeError);
  });

  it("may not write when they were called as read-only", async () => {
    const reply = await one(memoryTransport(), "EVAL_RO", pay.lua, 2, "a", "b", 1);
    expect(reply).toEqual(error("ERR Write commands are not allowed from read-only scripts."));
  });
});

describe("messages", () => {
  it("arrive after the trip that sent them, never during it", async () => {
    const memory = memoryTransport();
    const seen: unknown[] = [];
    await (memory as Required<Transport>).subscribe(
      { channels: ["c"] },
      {
        message({ data }) {
          seen.push(data);
          void memory.send([["SET", "a", "listener"]]);
        },
        interrupted() {},
      },
    );
    expect(
      await memory.send(
        [
          ["PUBLISH", "c", "x"],
          ["GET", "a"],
        ],
        { atomic: true },
      ),
    ).toEqual([1, null]);
    expect(seen).toEqual(["x"]);
    expect(await one(memory, "GET", "a")).toBe("listener");
  });

  it("count once for each matching topic", async () => {
    const memory = memoryTransport();
    const heard: unknown[] = [];
    const listener = { message: (message: unknown) => void heard.push(message), interrupted() {} };
    await (memory as Required<Transport>).subscribe({ channels: ["c"], patterns: ["?", "[a-b]"] }, listener);
    expect(await one(memory, "PUBLISH", "c", "x")).toBe(2);
    expect(heard).toEqual([
      { channel: "c", data: "x" },
      { channel: "c", pattern: "?", data: "x" },
    ]);
  });

  it("end with the transport, and interrupt each listener once", async () => {
    const memory = memoryTransport();
    const kinds: string[] = [];
    await (memory as Required<Transport>).subscribe(
      { channels: ["c"] },
      { message() {}, interrupted: ({ kind }) => void kinds.push(kind) },
    );
    await memory.close();
    await memory.close();
    expect(kinds).toEqual(["closed"]);
  });
});
