import { CommandError, type Reply, type Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/transport-memory";
import { describe, expect, it } from "vitest";

const one = async (transport: Transport, ...command: [string, ...(string | number | Uint8Array)[]]) =>
  (await transport.send([command]))[0] as Reply;
const error = (text: string) => new CommandError(text);

describe("streams", () => {
  it("take ids from this process's clock, and never go back with it", async () => {
    let nowMs = 1_000;
    const memory = memoryTransport({ clock: { now: () => nowMs } });
    const add = () => one(memory, "XADD", "log", "*", "f", "v");
    expect([await add(), await add()]).toEqual(["1000-0", "1000-1"]);
    nowMs = 500;
    expect(await add()).toBe("1000-2");
    nowMs = 2_000;
    expect(await add()).toBe("2000-0");
  });

  it("stay when they are empty, until they expire, and keep their last id", async () => {
    let nowMs = 0;
    const memory = memoryTransport({ clock: { now: () => nowMs } });
    await memory.send([
      ["XADD", "log", "5-0", "f", "v"],
      ["PEXPIRE", "log", 10],
      ["XADD", "log", "MAXLEN", 0, "6-0", "f", "v"],
    ]);
    expect(
      await memory.send([
        ["EXISTS", "log"],
        ["XLEN", "log"],
        ["TYPE", "log"],
        ["PTTL", "log"],
      ]),
    ).toEqual([1, 0, "stream", 10]);
    expect(await one(memory, "XADD", "log", "6-0", "f", "v")).toMatchObject({ code: "ERR" });
    nowMs = 10;
    expect(await one(memory, "XADD", "log", "1-0", "f", "v")).toBe("1-0");
  });

  it("keep entries of a megabyte and of bytes, and return copies", async () => {
    const memory = memoryTransport();
    const bytes = new Uint8Array(1 << 20).fill(0xff);
    await one(memory, "XADD", "log", "1-0", "data", bytes);
    bytes[0] = 0;
    const [[, [, first]]] = (await one(memory, "XRANGE", "log", "-", "+")) as [[string, [string, Uint8Array]]];
    expect([first.length, first[0]]).toEqual([1 << 20, 0xff]);
    first[0] = 1;
    const [[, [[, [, second]]]]] = (await one(memory, "XREAD", "STREAMS", "log", "0")) as [
      [string, [[string, [string, Uint8Array]]]],
    ];
    expect(second[0]).toBe(0xff);
  });

  it("answer a read of several streams at once, and null without new entries", async () => {
    const memory = memoryTransport();
    await memory.send([
      ["XADD", "a", "1-0", "f", "1"],
      ["XADD", "b", "2-0", "f", "2"],
    ]);
    expect(await one(memory, "XREAD", "COUNT", 5, "STREAMS", "a", "b", "none", "1-0", "1-9", "0")).toEqual([
      ["b", [["2-0", ["f", "2"]]]],
    ]);
    expect(await one(memory, "XREAD", "STREAMS", "a", "b", "$", "2")).toBeNull();
  });

  it("refuse to wait, and say what to do", async () => {
    const memory = memoryTransport();
    const reply = await one(memory, "XREAD", "BLOCK", 0, "STREAMS", "a", "$");
    expect(reply).toEqual(
      error("ERR The memory backend answers at once: read without BLOCK, and again when there may be news"),
    );
  });

  it("trim `~` exactly", async () => {
    const memory = memoryTransport();
    for (let index = 1; index <= 150; index++)
      await one(memory, "XADD", "log", "MAXLEN", "~", 10, `${index}-0`, "f", "v");
    expect(await one(memory, "XLEN", "log")).toBe(10);
    expect(await one(memory, "XTRIM", "log", "MINID", "~", "149", "LIMIT", 3)).toBe(3);
    expect(await one(memory, "XTRIM", "log", "MINID", "~", "149", "LIMIT", 0)).toBe(5);
  });

  it("discard an atomic trip with an unknown subcommand", async () => {
    const memory = memoryTransport();
    const replies = await memory.send(
      [
        ["SET", "a", 1],
        ["XGROUP", "FOO", "a"],
        ["XINFO", "GROUPS"],
      ],
      { atomic: true },
    );
    expect(replies).toEqual([
      error("EXECABORT Transaction discarded because of previous errors."),
      error("ERR unknown subcommand 'FOO'. Try XGROUP HELP."),
      error("ERR wrong number of arguments for 'xinfo|groups' command"),
    ]);
    expect(await one(memory, "EXISTS", "a")).toBe(0);
  });
});

describe("consumer groups", () => {
  it("give each entry to one consumer, and later to another that claims it", async () => {
    let nowMs = 0;
    const memory = memoryTransport({ clock: { now: () => nowMs } });
    const read = (consumer: string, count: number) =>
      one(memory, "XREADGROUP", "GROUP", "workers", consumer, "COUNT", count, "STREAMS", "jobs", ">");
    await one(memory, "XGROUP", "CREATE", "jobs", "workers", "0", "MKSTREAM");
    for (const id of [1, 2, 3]) await one(memory, "XADD", "jobs", `${id}-0`, "job", id);
    expect(await read("a", 2)).toEqual([
      [
        "jobs",
        [
          ["1-0", ["job", "1"]],
          ["2-0", ["job", "2"]],
        ],
      ],
    ]);
    expect(await read("b", 2)).toEqual([["jobs", [["3-0", ["job", "3"]]]]]);
    expect(await read("b", 2)).toBeNull();
    expect(await one(memory, "XACK", "jobs", "workers", "1-0", "1-0")).toBe(1);
    nowMs = 30_000;
    expect(await one(memory, "XPENDING", "jobs", "workers", "-", "+", 10)).toEqual([
      ["2-0", "a", 30_000, 1],
      ["3-0", "b", 30_000, 1],
    ]);
    await one(memory, "XDEL", "jobs", "3-0");
    expect(await one(memory, "XAUTOCLAIM", "jobs", "workers", "c", 30_001, "0")).toEqual(["0-0", [], ["3-0"]]);
    expect(await one(memory, "XAUTOCLAIM", "jobs", "workers", "c", 30_000, "0")).toEqual([
      "0-0",
      [["2-0", ["job", "2"]]],
      [],
    ]);
    expect(await one(memory, "XPENDING", "jobs", "workers")).toEqual([1, "2-0", "2-0", [["c", "1"]]]);
    expect(await one(memory, "XINFO", "GROUPS", "jobs")).toEqual([
      ["name", "workers", "consumers", 3, "pending", 1, "last-delivered-id", "3-0", "entries-read", 3, "lag", 0],
    ]);
  });

  it("count towards the byte bound, and change nothing when they do not fit", async () => {
    const memory = memoryTransport({ maxBytes: 4_000 });
    const oom = error("OOM command not allowed when used memory > 'maxmemory'.");
    const used = async () => Number(/used_memory:(\d+)/.exec(String(await one(memory, "INFO", "memory")))?.[1]);
    await one(memory, "XGROUP", "CREATE", "jobs", "g", "0", "MKSTREAM");
    const empty = await used();
    expect(await one(memory, "XGROUP", "CREATE", "jobs", "x".repeat(3_000), "0")).toEqual(oom);
    expect(await one(memory, "XGROUP", "CREATECONSUMER", "jobs", "g", "x".repeat(3_000))).toEqual(oom);
    for (let id = 1; id <= 4; id++) await one(memory, "XADD", "jobs", `${id}-0`, "f", "x".repeat(100));
    expect(await one(memory, "XREADGROUP", "GROUP", "g", "x".repeat(300), "STREAMS", "jobs", ">")).toEqual(oom);
    expect(await one(memory, "XPENDING", "jobs", "g")).toEqual([0, null, null, null]);
    expect(await one(memory, "XREADGROUP", "GROUP", "g", "c", "COUNT", 2, "STREAMS", "jobs", ">")).toHaveLength(1);
    expect(await one(memory, "XADD", "jobs", "5-0", "f", "x".repeat(1_500))).toEqual(oom);
    await memory.send([
      ["XGROUP", "DELCONSUMER", "jobs", "g", "c"],
      ["XTRIM", "jobs", "MAXLEN", 0],
    ]);
    expect(await used()).toBe(empty);
    await one(memory, "XGROUP", "DESTROY", "jobs", "g");
    expect(await used()).toBe(352 + 4 + 192);
  });

  it("survive a RENAME with all pending entries", async () => {
    const memory = memoryTransport();
    await memory.send([
      ["XADD", "jobs", "1-0", "f", "v"],
      ["XGROUP", "CREATE", "jobs", "g", "0"],
      ["XREADGROUP", "GROUP", "g", "c", "STREAMS", "jobs", ">"],
      ["RENAME", "jobs", "others"],
    ]);
    expect(await one(memory, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "others", "0")).toEqual([
      ["others", [["1-0", ["f", "v"]]]],
    ]);
  });

  it("stay quick for a long queue, also if entries are taken from its middle", async () => {
    const memory = memoryTransport();
    const entries = 20_000;
    await one(memory, "XGROUP", "CREATE", "jobs", "g", "0", "MKSTREAM");
    for (let id = 1; id <= entries; id++) await one(memory, "XADD", "jobs", `${id}-0`, "f", "v");
    await one(memory, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "jobs", ">");
    const ids = Array.from({ length: entries }, (_, index) => `${((index * 7_919) % entries) + 1}-0`);
    for (const id of ids) {
      expect(
        await memory.send([
          ["XACK", "jobs", "g", id],
          ["XDEL", "jobs", id],
        ]),
      ).toEqual([1, 1]);
    }
    expect(await one(memory, "XPENDING", "jobs", "g")).toEqual([0, null, null, null]);
    expect(await one(memory, "XLEN", "jobs")).toBe(0);
  });
});
