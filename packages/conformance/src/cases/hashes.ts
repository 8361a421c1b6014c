import { anyOrder, errorWith } from "../expect/expect-reply.ts";
import { exchange, type TransportCase } from "./transport-case.ts";

/** Hashes. */
export const hashCases: readonly TransportCase[] = [
  exchange("HSET, HGET and HMGET write and read fields", (key) => [
    [["HSET", key("h"), "a", 1, "b", 2], 2],
    [["HSET", key("h"), "b", 3, "c", 4], 1],
    [["HMSET", key("h"), "d", 5], "OK"],
    [["HGET", key("h"), "b"], "3"],
    [["HGET", key("h"), "none"], null],
    [["HGET", key("none"), "a"], null],
    [
      ["HMGET", key("h"), "a", "none", "d"],
      ["1", null, "5"],
    ],
    [["HMGET", key("none"), "a"], [null]],
    [["HSET", key("h"), "a"], errorWith("ERR", /wrong number of arguments/)],
  ]),
  exchange("HGETALL, HKEYS and HVALS list what is there, flat", (key) => [
    [["HSET", key("h"), "a", "1", "b", "2"], 2],
    [["HGETALL", key("h")], anyOrder(["a", "1", "b", "2"])],
    [["HKEYS", key("h")], anyOrder(["a", "b"])],
    [["HVALS", key("h")], anyOrder(["1", "2"])],
    [["HGETALL", key("none")], []],
    [["HKEYS", key("none")], []],
    [["HVALS", key("none")], []],
  ]),
  exchange("HEXISTS, HLEN and HSTRLEN measure", (key) => [
    [["HSET", key("h"), "a", "wörld"], 1],
    [["HEXISTS", key("h"), "a"], 1],
    [["HEXISTS", key("h"), "none"], 0],
    [["HLEN", key("h")], 1],
    [["HLEN", key("none")], 0],
    [["HSTRLEN", key("h"), "a"], 6],
    [["HSTRLEN", key("h"), "none"], 0],
  ]),
  exchange("HSETNX keeps what is there; HDEL removes the hash with its last field", (key) => [
    [["HSETNX", key("h"), "a", 1], 1],
    [["HSETNX", key("h"), "a", 2], 0],
    [["HGET", key("h"), "a"], "1"],
    [["HDEL", key("h"), "a", "none"], 1],
    [["EXISTS", key("h")], 0],
    [["HDEL", key("h"), "a"], 0],
  ]),
  exchange("HINCRBY and HINCRBYFLOAT count", (key) => [
    [["HINCRBY", key("h"), "n", 5], 5],
    [["HINCRBY", key("h"), "n", -7], -2],
    [["HINCRBYFLOAT", key("h"), "f", "1.5"], "1.5"],
    [["HINCRBYFLOAT", key("h"), "f", "1"], "2.5"],
    [["HSET", key("h"), "t", "text"], 1],
    [["HINCRBY", key("h"), "t", 1], errorWith("ERR", /hash value is not an integer/)],
    [["HINCRBYFLOAT", key("h"), "t", 1], errorWith("ERR", /hash value is not a float/)],
  ]),
  exchange("a hash command on another type says WRONGTYPE", (key) => [
    [["SET", key("s"), 1], "OK"],
    [["HGET", key("s"), "a"], errorWith("WRONGTYPE")],
    [["HSET", key("s"), "a", 1], errorWith("WRONGTYPE")],
    [["HGETALL", key("s")], errorWith("WRONGTYPE")],
  ]),
];
