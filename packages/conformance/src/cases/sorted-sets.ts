import { errorWith } from "../expect/expect-reply.ts";
import { exchange, type TransportCase } from "./transport-case.ts";

const bytes = new Uint8Array([0xff, 0x00, 0x80]);

/** Members in the order of their scores. */
export const sortedSetCases: readonly TransportCase[] = [
  exchange("ZADD adds members and moves those that are there, on its conditions", (key) => [
    [["ZADD", key("z"), 1, "a", 2, "b"], 2],
    [["TYPE", key("z")], "zset"],
    [["ZADD", key("z"), "CH", 3, "a", 2, "b"], 1],
    [["ZADD", key("z"), "NX", 9, "a"], 0],
    [["ZADD", key("z"), "XX", 9, "c"], 0],
    [["ZADD", key("z"), "GT", "CH", 1, "a"], 0],
    [["ZADD", key("z"), "LT", "CH", 1, "a"], 1],
    [["ZADD", key("z"), "INCR", 0.5, "a"], "1.5"],
    [["ZADD", key("z"), "NX", "INCR", 1, "a"], null],
    [["ZINCRBY", key("z"), 3, "a"], "4.5"],
    [["ZADD", key("z"), "NX", "XX", 1, "a"], errorWith("ERR", /not compatible/)],
    [["ZADD", key("z"), "x", "a"], errorWith("ERR", /not a valid float/)],
    [["ZSCORE", key("z"), "a"], "4.5"],
    [["ZSCORE", key("z"), "none"], null],
    [
      ["ZMSCORE", key("z"), "b", "none"],
      ["2", null],
    ],
    [["ZCARD", key("z")], 2],
    [["ZCARD", key("none")], 0],
  ]),
  exchange("ZRANGE and its kin read by place and by score, from either end", (key) => [
    [["ZADD", key("z"), 1, "a", 2, "b", 2, "B", "inf", "c", "-1.5", "ä"], 5],
    [
      ["ZRANGE", key("z"), 0, -1],
      ["ä", "a", "B", "b", "c"],
    ],
    [
      ["ZRANGE", key("z"), -2, -1, "WITHSCORES"],
      ["b", "2", "c", "inf"],
    ],
    [
      ["ZREVRANGE", key("z"), 0, 1],
      ["c", "b"],
    ],
    [
      ["ZRANGEBYSCORE", key("z"), "-inf", 2, "WITHSCORES", "LIMIT", 1, 2],
      ["a", "1", "B", "2"],
    ],
    [
      ["ZREVRANGEBYSCORE", key("z"), "+inf", "(1"],
      ["c", "b", "B"],
    ],
    [
      ["ZRANGE", key("z"), "(2", "-inf", "BYSCORE", "REV"],
      ["a", "ä"],
    ],
    [["ZRANGE", key("none"), 0, -1], []],
    [["ZCOUNT", key("z"), 1, "(inf"], 3],
    [["ZRANK", key("z"), "B"], 2],
    [["ZREVRANK", key("z"), "c"], 0],
    [["ZRANK", key("z"), "none"], null],
    [["ZRANGEBYSCORE", key("z"), "x", 2], errorWith("ERR", /not a float/)],
  ]),
  exchange("ZREM, ZPOPMIN and their kin take members away, and the key with the last", (key) => [
    [["ZADD", key("z"), 1, "a", 2, "b", 3, "c", 4, "d", 5, "e", 6, "f"], 6],
    [["ZREM", key("z"), "a", "none"], 1],
    [
      ["ZPOPMIN", key("z")],
      ["b", "2"],
    ],
    [
      ["ZPOPMAX", key("z"), 2],
      ["f", "6", "e", "5"],
    ],
    [["ZREMRANGEBYSCORE", key("z"), "-inf", 3], 1],
    [["ZREMRANGEBYRANK", key("z"), 0, -1], 1],
    [["EXISTS", key("z")], 0],
    [["ZPOPMIN", key("z")], []],
    [["SET", key("text"), "x"], "OK"],
    [["ZADD", key("text"), 1, "a"], errorWith("WRONGTYPE")],
  ]),
  exchange("members may be any bytes", (key) => [
    [["ZADD", key("z"), 1, bytes], 1],
    [["ZSCORE", key("z"), bytes], "1"],
    [
      ["ZRANGE", key("z"), 0, -1, "WITHSCORES"],
      [bytes, "1"],
    ],
    [["ZREM", key("z"), bytes], 1],
  ]),
];
