import { type Command, CommandError, type Reply } from "@continuum-cache/core";
import { factsOf, isPossibleReply, knownCommands } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

const bytes = new Uint8Array([0xff]);

describe("isPossibleReply", () => {
  it.each<[Command, readonly Reply[], readonly Reply[]]>([
    [
      ["DEL", "a"],
      [0, 1],
      ["hello", null, "OK", [1]],
    ],
    [
      ["get", "a"],
      ["x", bytes, null, "OK"],
      [1, []],
    ],
    [
      ["SET", "a", "b"],
      ["OK", null],
      ["b", 1],
    ],
    [
      ["SET", "a", "b", "EX", 60, "get"],
      ["OK", null, "old", bytes],
      [1, []],
    ],
    // A value named like an option is none.
    [["SET", "a", "GET"], ["OK"], ["old"]],
    [["MGET", "a", "b"], [["x", null]], [["x"], ["x", "y", "z"], [1, 2], null, "x"]],
    [["HMGET", "h", "f", "g"], [["x", bytes]], [["x"], "x"]],
    [
      ["HGETALL", "h"],
      [[], ["f", "v"]],
      [["f"], "f"],
    ],
    [["SCAN", 0, "MATCH", "*"], [["0", ["a"]]], [["0"], ["a", "b"], ["a", "b", "c"], "0"]],
    [
      ["LPOP", "l"],
      ["x", null],
      [["x"], 1],
    ],
    [["LPOP", "l", 2], [["x"], null], ["x"]],
    [["LPOS", "l", "COUNT"], [3, null], [[3]]],
    [["LPOS", "l", "x", "count", 0], [[3], []], [3]],
    [["ZADD", "z", "NX", "INCR", 1, "m"], ["1", null], [1]],
    [["ZADD", "z", 1, "INCR"], [1], ["1", null]],
    [["ZRANK", "z", "WITHSCORE"], [1, null], [["1"]]],
    [["ZRANK", "z", "m", "WITHSCORE"], [[1, "2"], null], [1]],
    [["PING"], ["PONG", "x"], [null, 1]],
    [["XREAD", "STREAMS", "s", "0"], [null, []], ["x"]],
    [
      ["INCR", "n"],
      [1, -1],
      ["1", "QUEUED"],
    ],
    [["EVAL", "return 1", 0], [1, "x", null, []], []],
    [["NOSUCH"], [1, "x", null, []], []],
  ])("for %j", (command, possible, impossible) => {
    for (const reply of possible) expect(isPossibleReply(command, reply), String(reply)).toBe(true);
    for (const reply of impossible) expect(isPossibleReply(command, reply), String(reply)).toBe(false);
  });

  it("takes an error of Redis for the reply to any command", () => {
    for (const name of knownCommands) expect(isPossibleReply([name, "a"], new CommandError("ERR no")), name).toBe(true);
  });

  it("knows the reply of every command in the table, but for those that answer with anything", () => {
    const open = knownCommands.filter((name) => factsOf([name]).reply === "any");
    expect(open).toEqual(["XGROUP", "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "SCRIPT"]);
  });
});
