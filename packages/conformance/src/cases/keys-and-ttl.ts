import { between, errorWith, expectReply } from "../expect/expect-reply.ts";
import { exchange, one, type TransportCase } from "./transport-case.ts";

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Keys and their expiry. */
export const keyCases: readonly TransportCase[] = [
  exchange("DEL, UNLINK, EXISTS and TOUCH count keys", (key) => [
    [["MSET", key("a"), 1, key("b"), 2, key("c"), 3], "OK"],
    [["EXISTS", key("a"), key("a"), key("none")], 2],
    [["TOUCH", key("a"), key("b"), key("none")], 2],
    [["DEL", key("a"), key("none")], 1],
    [["UNLINK", key("b"), key("c"), key("a")], 2],
    [["EXISTS", key("a"), key("b"), key("c")], 0],
  ]),
  exchange("TYPE names the type", (key) => [
    [["SET", key("s"), 1], "OK"],
    [["LPUSH", key("l"), 1], 1],
    [["HSET", key("h"), "f", 1], 1],
    [["TYPE", key("s")], "string"],
    [["TYPE", key("l")], "list"],
    [["TYPE", key("h")], "hash"],
    [["TYPE", key("none")], "none"],
  ]),
  exchange("TTL and its kin answer -1 without an expiry and -2 without a key", (key) => [
    [["SET", key("a"), 1], "OK"],
    ...["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"].flatMap((name) => [
      [[name, key("a")], -1] as const,
      [[name, key("none")], -2] as const,
    ]),
  ]),
  exchange("EXPIRE sets, PERSIST removes", (key) => [
    [["SET", key("a"), 1], "OK"],
    [["EXPIRE", key("none"), 100], 0],
    [["EXPIRE", key("a"), 100], 1],
    [["TTL", key("a")], between(99, 100)],
    [["PEXPIRE", key("a"), 200_000], 1],
    [["PTTL", key("a")], between(190_000, 200_000)],
    [["EXPIREAT", key("a"), 4_102_444_800], 1],
    [["EXPIRETIME", key("a")], 4_102_444_800],
    [["PEXPIREAT", key("a"), 4_102_444_800_123], 1],
    [["PEXPIRETIME", key("a")], 4_102_444_800_123],
    [["PERSIST", key("a")], 1],
    [["PERSIST", key("a")], 0],
    [["PERSIST", key("none")], 0],
    [["TTL", key("a")], -1],
  ]),
  exchange("EXPIRE honours NX, XX, GT and LT", (key) => [
    [["SET", key("a"), 1], "OK"],
    [["EXPIRE", key("a"), 100, "XX"], 0],
    [["EXPIRE", key("a"), 100, "GT"], 0],
    [["EXPIRE", key("a"), 100, "NX"], 1],
    [["EXPIRE", key("a"), 200, "NX"], 0],
    [["EXPIRE", key("a"), 50, "GT"], 0],
    [["EXPIRE", key("a"), 200, "GT"], 1],
    [["EXPIRE", key("a"), 300, "LT"], 0],
    [["EXPIRE", key("a"), 150, "LT"], 1],
    [["TTL", key("a")], between(149, 150)],
    [["EXPIRE", key("a"), 1, "NX", "XX"], errorWith("ERR", /not compatible/)],
    [["EXPIRE", key("a"), "soon"], errorWith("ERR", /not an integer/)],
  ]),
  exchange("an expiry in the past deletes", (key) => [
    [["MSET", key("a"), 1, key("b"), 1, key("c"), 1], "OK"],
    [["EXPIRE", key("a"), 0], 1],
    [["EXPIRE", key("b"), -5], 1],
    [["EXPIREAT", key("c"), 1], 1],
    [["EXISTS", key("a"), key("b"), key("c")], 0],
  ]),
  {
    title: "a key is gone when its milliseconds are over",
    async run(transport, key) {
      expectReply(
        await transport.send([
          ["SET", key("a"), 1, "PX", 40],
          ["SET", key("b"), 1, "PX", 60_000],
          ["RPUSH", key("l"), 1],
          ["PEXPIRE", key("l"), 40],
        ]),
        ["OK", "OK", 1, 1],
      );
      await wait(80);
      expectReply(
        await transport.send([
          ["GET", key("a")],
          ["PTTL", key("a")],
          ["EXISTS", key("a"), key("b"), key("l")],
          ["TYPE", key("l")],
          ["SET", key("a"), 2, "XX"],
          ["RPUSH", key("l"), 2],
        ]),
        [null, -2, 1, "none", null, 1],
      );
    },
  },
  exchange("RENAME moves the value with its expiry", (key) => [
    [["SET", key("a"), "1", "EX", 100], "OK"],
    [["SET", key("b"), "2"], "OK"],
    [["RENAMENX", key("a"), key("b")], 0],
    [["RENAME", key("a"), key("b")], "OK"],
    [["GET", key("b")], "1"],
    [["TTL", key("b")], between(99, 100)],
    [["EXISTS", key("a")], 0],
    [["RENAMENX", key("b"), key("c")], 1],
    [["RENAME", key("none"), key("c")], errorWith("ERR", /no such key/)],
  ]),
  {
    title: "keys may hold spaces, newlines, unicode, quotes and glob characters, and be 10 kB long",
    async run(transport, key) {
      const odd = [
        "with space",
        "new\nline",
        "tab\tcr\r\n",
        "ключ 键 🔑",
        "a/b?c=d&e#f",
        `"'\\`,
        "*?[a]^{b}",
        "\0nul",
        "%41+",
      ];
      const names = [...odd, "x".repeat(10_000)].map((name) => key(name));
      expectReply(
        await transport.send(names.map((name, index) => ["SET", name, `v${index}`] as const)),
        names.map(() => "OK"),
      );
      for (const [index, name] of names.entries()) expectReply(await one(transport, "GET", name), `v${index}`);
      expectReply(
        await one(transport, "MGET", ...names),
        names.map((_, index) => `v${index}`),
      );
      expectReply(await one(transport, "DEL", ...names), names.length);
    },
  },
  exchange(
    "FLUSHDB and FLUSHALL leave nothing",
    (key) => [
      [["SET", key("a"), 1], "OK"],
      [["FLUSHDB"], "OK"],
      [["DBSIZE"], 0],
      [["RANDOMKEY"], null],
      [["SET", key("a"), 1], "OK"],
      [["FLUSHALL"], "OK"],
      [["EXISTS", key("a")], 0],
    ],
    "own-database",
  ),
];
