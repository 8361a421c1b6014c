import { errorWith } from "../expect/expect-reply.ts";
import { exchange, type TransportCase } from "./transport-case.ts";

/** Lists. */
export const listCases: readonly TransportCase[] = [
  exchange("LPUSH and RPUSH add at their ends, the X forms only to what is there", (key) => [
    [["RPUSH", key("l"), "b", "c"], 2],
    [["LPUSH", key("l"), "a", "0"], 4],
    [
      ["LRANGE", key("l"), 0, -1],
      ["0", "a", "b", "c"],
    ],
    [["RPUSHX", key("l"), "d"], 5],
    [["LPUSHX", key("l"), "-1"], 6],
    [["RPUSHX", key("none"), "d"], 0],
    [["LPUSHX", key("none"), "d"], 0],
    [["LLEN", key("l")], 6],
    [["LLEN", key("none")], 0],
  ]),
  exchange("LPOP and RPOP take from their ends, and the list goes with its last element", (key) => [
    [["RPUSH", key("l"), "a", "b", "c", "d"], 4],
    [["LPOP", key("l")], "a"],
    [["RPOP", key("l")], "d"],
    [
      ["LPOP", key("l"), 5],
      ["b", "c"],
    ],
    [["EXISTS", key("l")], 0],
    [["LPOP", key("l")], null],
    [["RPOP", key("l"), 2], null],
    [["LPOP", key("l"), -1], errorWith("ERR", /out of range/)],
  ]),
  exchange("LRANGE, LINDEX and LTRIM count from both ends", (key) => [
    [["RPUSH", key("l"), "a", "b", "c", "d"], 4],
    [
      ["LRANGE", key("l"), 1, 2],
      ["b", "c"],
    ],
    [
      ["LRANGE", key("l"), -2, 100],
      ["c", "d"],
    ],
    [["LRANGE", key("l"), 3, 1], []],
    [["LINDEX", key("l"), -1], "d"],
    [["LINDEX", key("l"), 9], null],
    [["LTRIM", key("l"), 1, -2], "OK"],
    [
      ["LRANGE", key("l"), 0, -1],
      ["b", "c"],
    ],
    [["LTRIM", key("l"), 5, 9], "OK"],
    [["EXISTS", key("l")], 0],
  ]),
  exchange("LSET, LINSERT and LREM change the middle", (key) => [
    [["RPUSH", key("l"), "a", "x", "b", "x", "x"], 5],
    [["LREM", key("l"), -1, "x"], 1],
    [["LREM", key("l"), 0, "x"], 2],
    [["LSET", key("l"), 1, "B"], "OK"],
    [["LSET", key("l"), 9, "?"], errorWith("ERR", /out of range/)],
    [["LSET", key("none"), 0, "?"], errorWith("ERR", /no such key/)],
    [["LINSERT", key("l"), "BEFORE", "B", "m"], 3],
    [["LINSERT", key("l"), "AFTER", "B", "z"], 4],
    [["LINSERT", key("l"), "AFTER", "none", "z"], -1],
    [["LINSERT", key("none"), "AFTER", "a", "z"], 0],
    [
      ["LRANGE", key("l"), 0, -1],
      ["a", "m", "B", "z"],
    ],
  ]),
  exchange("LPOS finds", (key) => [
    [["RPUSH", key("l"), "a", "b", "c", "b"], 4],
    [["LPOS", key("l"), "b"], 1],
    [["LPOS", key("l"), "b", "RANK", -1], 3],
    [
      ["LPOS", key("l"), "b", "COUNT", 0],
      [1, 3],
    ],
    [["LPOS", key("l"), "none"], null],
    [["LPOS", key("l"), "none", "COUNT", 0], []],
    [["LPOS", key("l"), "b", "MAXLEN", 1], null],
  ]),
  exchange("LMOVE and RPOPLPUSH move between lists", (key) => [
    [["RPUSH", key("l"), "a", "b", "c"], 3],
    [["LMOVE", key("l"), key("m"), "LEFT", "RIGHT"], "a"],
    [["RPOPLPUSH", key("l"), key("m")], "c"],
    [
      ["LRANGE", key("m"), 0, -1],
      ["c", "a"],
    ],
    [["LMOVE", key("m"), key("m"), "LEFT", "RIGHT"], "c"],
    [
      ["LRANGE", key("m"), 0, -1],
      ["a", "c"],
    ],
    [["LMOVE", key("none"), key("m"), "LEFT", "LEFT"], null],
    [["LMOVE", key("l"), key("m"), "UP", "DOWN"], errorWith("ERR", /syntax error/)],
  ]),
  exchange("a list command on another type says WRONGTYPE", (key) => [
    [["SET", key("s"), 1], "OK"],
    [["LPUSH", key("s"), "a"], errorWith("WRONGTYPE")],
    [["LRANGE", key("s"), 0, -1], errorWith("WRONGTYPE")],
    [["RPUSH", key("l"), "a"], 1],
    [["LMOVE", key("l"), key("s"), "LEFT", "LEFT"], errorWith("WRONGTYPE")],
    [["LLEN", key("l")], 1],
  ]),
];
