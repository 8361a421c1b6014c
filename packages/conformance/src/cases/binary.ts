import { expectReply } from "../expect/expect-reply.ts";
import { exchange, one, type TransportCase } from "./transport-case.ts";

/** Byte sequences that a lossy decoder damages. None of them is valid UTF-8. */
const rawBytes: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["0x00 0xC1 0xFF", new Uint8Array([0x00, 0xc1, 0xff])],
  ["a lone continuation byte", new Uint8Array([0x61, 0x80, 0x62])],
  ["a cut sequence", new Uint8Array([0xe2, 0x82])],
  ["an overlong slash", new Uint8Array([0xc0, 0xaf])],
  ["a surrogate", new Uint8Array([0xed, 0xa0, 0x80])],
  ["line ends between bytes", new Uint8Array([0xff, 0x0d, 0x0a, 0xfe, 0x0d, 0x0a])],
  ["all 256 bytes", Uint8Array.from({ length: 256 }, (_, index) => index)],
  ["100 kB", Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7919 + 128) & 0xff)],
];

/** Texts that a careless decoder damages, though they are valid UTF-8. */
const texts: readonly (readonly [name: string, text: string])[] = [
  ["a byte order mark", "\ufeffhello"],
  ["emoji and combined characters", "🧠👩‍👩‍👧 é ẞ 汉字"],
  ["line ends", "a\r\nb\n\r\n"],
  ["control characters", "\0\u0001\u001f\u007f\u0085\u2028"],
  ["the replacement character itself", "\ufffd"],
  ["the last code point", "\u{10ffff}\uffff"],
];

/** Bytes are neither lost nor replaced, on any way in or out. */
export const binaryCases: readonly TransportCase[] = [
  ...rawBytes.map(
    ([name, bytes]): TransportCase => ({
      title: `SET and GET keep bytes that are no text: ${name}`,
      async run(transport, key) {
        expectReply(await one(transport, "SET", key("b"), bytes), "OK");
        expectReply(await one(transport, "STRLEN", key("b")), bytes.length);
        expectReply(await one(transport, "GET", key("b")), bytes);
        expectReply(await one(transport, "MGET", key("none"), key("b")), [null, bytes]);
      },
    }),
  ),
  ...texts.map(
    ([name, text]): TransportCase => ({
      title: `SET and GET keep text: ${name}`,
      async run(transport, key) {
        expectReply(await one(transport, "SET", key("t"), text), "OK");
        expectReply(await one(transport, "STRLEN", key("t")), new TextEncoder().encode(text).length);
        expectReply(await one(transport, "GET", key("t")), text);
      },
    }),
  ),
  {
    title: "bytes that are valid UTF-8 come back as text",
    async run(transport, key) {
      expectReply(await one(transport, "SET", key("t"), new TextEncoder().encode("héllo")), "OK");
      expectReply(await one(transport, "GET", key("t")), "héllo");
    },
  },
  {
    title: "an empty value given as bytes is an empty text",
    async run(transport, key) {
      expectReply(await one(transport, "SET", key("t"), new Uint8Array(0)), "OK");
      expectReply(await one(transport, "GET", key("t")), "");
    },
  },
  {
    title: "HSET and LPUSH keep bytes, and nested replies hand them out",
    async run(transport, key) {
      const bytes = new Uint8Array([0xc1, 0x00, 0xff, 0x0a]);
      expectReply(await one(transport, "HSET", key("h"), "f", bytes), 1);
      expectReply(await one(transport, "HGET", key("h"), "f"), bytes);
      expectReply(await one(transport, "HGETALL", key("h")), ["f", bytes]);
      expectReply(await one(transport, "LPUSH", key("l"), bytes), 1);
      expectReply(await one(transport, "RPUSH", key("l"), "text"), 2);
      expectReply(await one(transport, "LRANGE", key("l"), 0, -1), [bytes, "text"]);
      expectReply(await one(transport, "LPOP", key("l")), bytes);
    },
  },
  {
    title: "a part of a larger buffer is sent as that part",
    async run(transport, key) {
      const part = Uint8Array.from([1, 2, 0xff, 0xfe, 5, 6]).subarray(2, 4);
      expectReply(await one(transport, "SET", key("b"), part), "OK");
      expectReply(await one(transport, "GET", key("b")), new Uint8Array([0xff, 0xfe]));
    },
  },
  {
    title: "bytes handed out are the caller's own",
    async run(transport, key) {
      const bytes = new Uint8Array([0xff, 0x01]);
      expectReply(await one(transport, "SET", key("b"), bytes), "OK");
      const first = await one(transport, "GET", key("b"));
      if (first instanceof Uint8Array) first.fill(0);
      expectReply(await one(transport, "GET", key("b")), bytes);
    },
  },
  exchange(
    "bytes may stand in several arguments, in keys, and anywhere in a trip",
    (key) => {
      const [one, two] = [new Uint8Array([0xff, 0x00]), new Uint8Array([0x80])];
      const byteKey = new Uint8Array([...new TextEncoder().encode(key("k")), 0xfe]);
      return [
        [["MSET", key("a"), one, key("b"), two], "OK"],
        [
          ["MGET", key("a"), key("b")],
          [one, two],
        ],
        [["HSET", key("h"), one, two], 1],
        [
          ["HGETALL", key("h")],
          [one, two],
        ],
        [["SET", byteKey, one], "OK"],
        [["GET", byteKey], one],
        [["LPUSH", key("l"), one, "text", two], 3],
        [
          ["LRANGE", key("l"), 0, -1],
          [two, "text", one],
        ],
        [["DEL", byteKey], 1],
      ];
    },
    "bytes-anywhere",
  ),
  exchange(
    "bytes may stand in an atomic trip",
    (key) => {
      const bytes = new Uint8Array([0xff, 0x00, 0x0d, 0x0a]);
      return [
        [["SET", key("a"), bytes, "EX", 100], "OK"],
        [["GET", key("a")], bytes],
      ];
    },
    "bytes-anywhere",
    { atomic: true },
  ),
];
