import type { Command } from "@continuum-cache/core";
import { factsOf, isRepeatable, isWrite, keysOf, knownCommands } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

describe("the command table", () => {
  it.each<[Command, readonly string[] | "database"]>([
    [["GET", "a"], ["a"]],
    [
      ["mget", "a", "b"],
      ["a", "b"],
    ],
    [
      ["MSET", "a", 1, "b", 2],
      ["a", "b"],
    ],
    [
      ["EVAL", "return 1", 2, "a", "b", "c"],
      ["a", "b"],
    ],
    [
      ["LMOVE", "a", "b", "LEFT", "RIGHT"],
      ["a", "b"],
    ],
    [["GET", new TextEncoder().encode("é")], ["é"]],
    [
      ["XREAD", "COUNT", 2, "STREAMS", "a", "b", "0", "$"],
      ["a", "b"],
    ],
    // A group or a consumer may be named like an option.
    [["XREADGROUP", "GROUP", "STREAMS", "block", "noack", "streams", "a", ">"], ["a"]],
    [["XREAD", "STREAMS", "a"], []],
    [["XREAD", "a", "STREAMS", "b", "0"], []],
    [["XGROUP", "CREATE", "a", "g", "$"], ["a"]],
    [["xinfo", "STREAM", "a"], ["a"]],
    [["XINFO", "HELP"], []],
    [["PING"], []],
    [["GET"], []],
    [["FLUSHDB"], "database"],
    [["NOSUCH", "a"], "database"],
  ])("knows the keys of %j", (command, keys) => {
    expect(keysOf(command)).toEqual(keys);
  });

  it("repeats only commands that may run twice", () => {
    expect(isRepeatable(["GET", "a"])).toBe(true);
    expect(isRepeatable(["SET", "a", "1", "EX", 60])).toBe(true);
    expect(isRepeatable(["SET", "a", "1", "nx"])).toBe(false);
    expect(isRepeatable(["SET", "a", "1", "EX", 60, "IFEQ", "2"])).toBe(false);
    expect(isRepeatable(["DELEX", "a"])).toBe(true);
    expect(isRepeatable(["DELEX", "a", "IFEQ", "2"])).toBe(false);
    // A key or value named like an option is none.
    expect(isRepeatable(["SET", "NX", "GET"])).toBe(true);
    expect(isRepeatable(["INCR", "a"])).toBe(false);
    expect(isRepeatable(["LPUSH", "a", "1"])).toBe(false);
    expect(isRepeatable(["EVALSHA", "x", 0])).toBe(false);
    expect(isRepeatable(["DEL", "a"])).toBe(true);
    expect(isRepeatable(["PUBLISH", "a", "b"])).toBe(false);
    expect(isRepeatable(["ZADD", "a", 1, "m"])).toBe(true);
    expect(isRepeatable(["ZADD", "a", "incr", 1, "m"])).toBe(false);
    expect(isRepeatable(["XADD", "a", "1-1", "f", "v"])).toBe(false);
    expect(isRepeatable(["XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">"])).toBe(false);
    expect(isRepeatable(["XACK", "a", "g", "1-1"])).toBe(true);
    expect(isRepeatable(["XGROUP", "create", "a", "g", "0"])).toBe(false);
    expect(isRepeatable(["XGROUP", "SETID", "a", "g", "$"])).toBe(false);
    expect(isRepeatable(["XGROUP", "SETID", "a", "g", "5-0"])).toBe(true);
    expect(isRepeatable(["XGROUP", "DELCONSUMER", "a", "$", "$"])).toBe(true);
  });

  it("assumes the worst of unknown commands, also of names on Object.prototype", () => {
    for (const name of ["NOSUCH", "constructor", "__proto__", "toString"]) {
      expect(factsOf([name])).toMatchObject({ write: true, keys: "database", repeatable: false });
    }
  });

  it("never repeats a write that counts", () => {
    const counting = knownCommands.filter((name) => /INCR|DECR|PUSH|POP|APPEND|GETDEL|GETSET|RENAME|MOVE/.test(name));
    expect(counting.filter((name) => isRepeatable([name, "k", "v"]))).toEqual([]);
    expect(counting.every((name) => isWrite([name, "k"]))).toBe(true);
  });
});
