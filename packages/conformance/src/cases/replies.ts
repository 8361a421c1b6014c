import { CommandError } from "@continuum-cache/core";
import { errorWith, expectReply, textLike } from "../expect/expect-reply.ts";
import { exchange, one, type TransportCase } from "./transport-case.ts";

/** Every command has its reply, at its index, in its type. */
export const replyCases: readonly TransportCase[] = [
  {
    title: "resolves to an empty list for an empty list",
    async run(transport) {
      expectReply(await transport.send([]), []);
      expectReply(await transport.send([], { atomic: true }), []);
    },
  },
  exchange("gives one reply for each command, in order", (key) => [
    [["SET", key("a"), "1"], "OK"],
    [["GET", key("a")], "1"],
    [["GET", key("none")], null],
    [["INCR", key("a")], 2],
    [["DEL", key("a"), key("none")], 1],
  ]),
  exchange("hands out status replies as strings", () => [
    [["PING"], "PONG"],
    [["PING", "hello"], "hello"],
    [["ECHO", "hello"], "hello"],
  ]),
  exchange("hands out integers as numbers and text as text, whatever it looks like", (key) => [
    [["MSET", key("n"), "123", key("t"), "true", key("z"), "null", key("f"), "1.50", key("e"), ""], "OK"],
    [["GET", key("n")], "123"],
    [["GET", key("t")], "true"],
    [["GET", key("z")], "null"],
    [["GET", key("f")], "1.50"],
    [["GET", key("e")], ""],
    [["STRLEN", key("n")], 3],
    [
      ["MGET", key("n"), key("none"), key("z")],
      ["123", null, "null"],
    ],
  ]),
  exchange("returns text that looks like JSON, base64 or the wire format unchanged", (key) =>
    ['{"a":1}', "[1,2]", '"quoted"', "aGVsbG8=", "=aGVsbG8=", "$5\r\nhello\r\n", "+OK\r\n", "-ERR no", ":1"].flatMap(
      (text, index) => [[["SET", key(`k${index}`), text], "OK"] as const, [["GET", key(`k${index}`)], text] as const],
    ),
  ),
  exchange("sends numbers as their decimal text", (key) => [
    [["RPUSH", key("l"), 42, -7, 0, 1.5, 9007199254740991], 5],
    [
      ["LRANGE", key("l"), 0, -1],
      ["42", "-7", "0", "1.5", "9007199254740991"],
    ],
    [["INCRBY", key("n"), 5], 5],
  ]),
  exchange("hands out nested arrays", (key) => [
    [["RPUSH", key("l"), "a", "b"], 2],
    [
      ["LRANGE", key("l"), 0, -1],
      ["a", "b"],
    ],
    [["LRANGE", key("none"), 0, -1], []],
    [["HSET", key("h"), "f", "v"], 1],
    [
      ["HSCAN", key("h"), 0],
      ["0", ["f", "v"]],
    ],
    [
      ["HMGET", key("h"), "f", "none"],
      ["v", null],
    ],
    [["LPOP", key("none"), 2], null],
  ]),
  exchange("takes command names in any case", (key) => [
    [["set", key("a"), "1"], "OK"],
    [["GeT", key("a")], "1"],
    [["hset", key("h"), "f", "v"], 1],
    [
      ["hgetall", key("h")],
      ["f", "v"],
    ],
  ]),
  {
    title: "carries a pipeline of 2,500 commands",
    async run(transport, key) {
      const names = Array.from({ length: 1_250 }, (_, index) => key(`p${index}`));
      const replies = await transport.send([
        ...names.map((name, index) => ["SET", name, index, "EX", 600] as const),
        ...names.map((name) => ["GET", name] as const),
      ]);
      expectReply(replies, [...names.map(() => "OK"), ...names.map((_, index) => String(index))]);
      expectReply(await one(transport, "DEL", ...names), names.length);
    },
  },
  {
    title: "carries a value of 1 MB both ways",
    async run(transport, key) {
      const text = "0123456789abcde\n".repeat(65_536);
      expectReply(await one(transport, "SET", key("big"), text), "OK");
      expectReply(await one(transport, "STRLEN", key("big")), text.length);
      if ((await one(transport, "GET", key("big"))) !== text) throw new Error("expected the same 1 MB back");
      expectReply(await one(transport, "DEL", key("big")), 1);
    },
  },
  exchange("answers commands about the server", (key) => [
    [["SET", key("a"), "1"], "OK"],
    [["INFO"], textLike(/redis_version:\d/)],
    [["TIME"], [textLike(/^\d{10}$/), textLike(/^\d{1,6}$/)]],
    [["DBSIZE"], { mismatch: (size) => (Number(size) >= 1 ? undefined : `expected at least 1 key, got ${size}`) }],
    [["RANDOMKEY"], textLike(/./)],
    [["PUBLISH", key("channel"), "no subscriber"], 0],
  ]),
  exchange("lets a refused command stand in its place and runs the others", (key) => [
    [["SET", key("s"), "text"], "OK"],
    [["LPUSH", key("s"), "x"], new CommandError("WRONGTYPE")],
    [["INCR", key("s")], errorWith("ERR", /not an integer/)],
    [["NO-SUCH-COMMAND", key("s")], errorWith("ERR", /^ERR (unknown command|Command is not available)/i)],
    [["GET"], errorWith("ERR", /wrong number of arguments/)],
    [["GET", key("s")], "text"],
  ]),
];
