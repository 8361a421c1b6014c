import { describe, expect, test } from "vitest";
import { NotHttp } from "../src/http/http-errors.ts";
import { createReplyReader, maxHeadBytes, type WholeReply } from "../src/http/node/reply-reader.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "utf8");
const ok = "HTTP/1.1 200 OK\r\n";

/** Feeds pieces to a new reader, and then the end of the connection. */
function readAll(pieces: readonly Buffer[], maxBodyBytes = 1_000_000): WholeReply | undefined {
  const reader = createReplyReader();
  for (const piece of pieces) {
    // A reader must not keep what it is given: the block is used again for the next piece.
    const block = Buffer.from(piece);
    const reply = reader.read(block, maxBodyBytes);
    block.fill(0x78);
    if (reply) return reply;
  }
  return reader.end();
}

const seen = (reply: WholeReply | undefined) =>
  reply && { status: reply.status, text: reply.text, idleLimitMs: reply.idleLimitMs, token: reply.header("x-token") };

interface Case {
  readonly name: string;
  readonly reply: string;
  readonly expected: ReturnType<typeof seen>;
}

const cases: readonly Case[] = [
  {
    name: "a body with its length",
    reply: `${ok}Content-Length: 13\r\nX-Token:  abc \r\n\r\n{"result":1}\n`,
    expected: { status: 200, text: '{"result":1}\n', idleLimitMs: 30_000, token: "abc" },
  },
  {
    name: "no body",
    reply: `${ok}content-length: 0\r\n\r\n`,
    expected: { status: 200, text: "", idleLimitMs: 30_000, token: undefined },
  },
  {
    name: "a status without a reason",
    reply: "HTTP/1.1 200\r\ncontent-length: 3\r\n\r\nhé",
    expected: { status: 200, text: "hé", idleLimitMs: 30_000, token: undefined },
  },
  {
    name: "chunks, with extensions and trailers",
    reply:
      `${ok}Transfer-Encoding: Chunked\r\nx-token: a\r\nX-Token: b\r\n\r\n` +
      `5\r\n{"a":\r\n0A;x="y"\r\n"🙂üx"}\r\n0;z\r\nx-trailer: 1\r\nx-token: late\r\n\r\n`,
    expected: { status: 200, text: '{"a":"🙂üx"}', idleLimitMs: 30_000, token: "a, b" },
  },
  {
    name: "no chunks",
    reply: `${ok}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    expected: { status: 200, text: "", idleLimitMs: 30_000, token: undefined },
  },
  {
    name: "chunks in HTTP/1.0, which has none",
    reply: "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    expected: { status: 200, text: "x", idleLimitMs: 0, token: undefined },
  },
  {
    name: "preliminary replies before it",
    reply: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}content-length: 1\r\n\r\nx`,
    expected: { status: 200, text: "x", idleLimitMs: 30_000, token: undefined },
  },
  {
    name: "a status that has no body",
    reply: "HTTP/1.1 204 No Content\r\n\r\n",
    expected: { status: 204, text: "", idleLimitMs: 30_000, token: undefined },
  },
  {
    name: "a connection that the server closes",
    reply: `${ok}Connection: x, Close\r\ncontent-length: 1\r\n\r\nx`,
    expected: { status: 200, text: "x", idleLimitMs: 0, token: undefined },
  },
  {
    name: "HTTP/1.0, which closes",
    reply: "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
    expected: { status: 200, text: "x", idleLimitMs: 0, token: undefined },
  },
  {
    name: "HTTP/1.0 that keeps its connection",
    reply: "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\nkeep-alive: max=5, timeout=7\r\ncontent-length: 1\r\n\r\nx",
    expected: { status: 200, text: "x", idleLimitMs: 6_000, token: undefined },
  },
  {
    name: "a server that closes idle connections at once",
    reply: `${ok}keep-alive: timeout=1\r\ncontent-length: 1\r\n\r\nx`,
    expected: { status: 200, text: "x", idleLimitMs: 0, token: undefined },
  },
];

describe.each(cases)("a reply with $name", ({ reply, expected }) => {
  const all = bytes(reply);

  test("is read whole, in two pieces cut anywhere, and byte by byte", () => {
    expect(seen(readAll([all]))).toEqual(expected);
    for (let cut = 1; cut < all.length; cut++) {
      expect(seen(readAll([all.subarray(0, cut), all.subarray(cut)])), `cut at ${cut}`).toEqual(expected);
    }
    expect(seen(readAll([...all].map((byte) => Buffer.of(byte))))).toEqual(expected);
  });

  test("is no reply when it is cut short anywhere", () => {
    for (let cut = 0; cut < all.length; cut++) expect(readAll([all.subarray(0, cut)]), `cut at ${cut}`).toBeUndefined();
  });

  test("is the first of several on its connection", () => {
    const reader = createReplyReader();
    for (let round = 0; round < 3; round++) {
      expect(reader.hasBegun).toBe(false);
      expect(reader.read(all.subarray(0, 20), 1_000)).toBeUndefined();
      expect(reader.hasBegun).toBe(true);
      expect(seen(reader.read(all.subarray(20), 1_000))).toEqual(expected);
    }
  });

  test("is kept when unexpected bytes follow it, and its connection is not used again", () => {
    expect(seen(readAll([Buffer.concat([all, bytes("HTTP/1.1 200 OK\r\n")])]))).toEqual({
      ...expected,
      idleLimitMs: 0,
    });
  });
});

test("a body without a length ends with the connection, and only then", () => {
  const reader = createReplyReader();
  expect(
    reader.read(bytes("HTTP/1.0 503 Service Unavailable\r\ncontent-type: text/html\r\n\r\n<ht"), 100),
  ).toBeUndefined();
  expect(reader.read(bytes("ml>"), 100)).toBeUndefined();
  expect(seen(reader.end())).toEqual({ status: 503, text: "<html>", idleLimitMs: 0, token: undefined });
  expect(seen(readAll([bytes("HTTP/1.1 502 \r\n\r\n")]))).toMatchObject({ status: 502, text: "" });
});

test.each<[string, string]>([
  ["another protocol", "+PONG\r\n"],
  ["another protocol whose head never ends", "SSH-2.0-OpenSSH"],
  ["HTTP/2", "HTTP/2 200\r\n\r\n"],
  ["HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n"],
  ["a blank line first", "\r\nHTTP/1.1 200 OK\r\n\r\n"],
  ["no status", "HTTP/1.1 OK\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 No\r\n\r\n"],
  ["a change of protocols", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"],
  ["lines that end with LF alone", "HTTP/1.1 200 OK\ncontent-length: 1\r\n\r\nx"],
  ["a CR within a value", `${ok}a: b\rc\r\n\r\n`],
  ["a NUL within a value", `${ok}a: b\0c\r\n\r\n`],
  ["a folded field", `${ok}a: b\r\n c\r\n\r\n`],
  ["a blank before the colon", `${ok}content-length : 1\r\n\r\nx`],
  ["a field without a name", `${ok}: b\r\n\r\n`],
  ["a field without a colon", `${ok}abc\r\n\r\n`],
  ["two lengths", `${ok}content-length: 1\r\ncontent-length: 1\r\n\r\nx`],
  ["a list of lengths", `${ok}content-length: 1, 1\r\n\r\nx`],
  ["a negative length", `${ok}content-length: -1\r\n\r\n`],
  ["a length with a sign", `${ok}content-length: +1\r\n\r\nx`],
  ["a hexadecimal length", `${ok}content-length: 0x1\r\n\r\nx`],
  ["no digits in a length", `${ok}content-length:\r\n\r\n`],
  ["a length beyond all numbers", `${ok}content-length: ${"9".repeat(400)}\r\n\r\n`],
  ["a length beside chunks", `${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["a coding that was not asked for", `${ok}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ["chunks within chunks", `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["an unknown coding", `${ok}transfer-encoding: identity\r\n\r\nx`],
  ["a chunk without a size", `${ok}transfer-encoding: chunked\r\n\r\n\r\n`],
  ["a chunk whose size is no number", `${ok}transfer-encoding: chunked\r\n\r\nxyz\r\n`],
  ["a negative chunk", `${ok}transfer-encoding: chunked\r\n\r\n-1\r\nx\r\n`],
  ["a prefixed chunk size", `${ok}transfer-encoding: chunked\r\n\r\n0x1\r\nx\r\n`],
  ["a chunk size beyond all numbers", `${ok}transfer-encoding: chunked\r\n\r\n${"f".repeat(40)}\r\nx`],
  ["a chunk size that ends with LF alone", `${ok}transfer-encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n`],
  ["a chunk longer than it says", `${ok}transfer-encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n`],
  ["a trailer without a colon", `${ok}transfer-encoding: chunked\r\n\r\n0\r\nabc\r\n\r\n`],
  ["a head without end", `${ok}a: ${"b".repeat(maxHeadBytes)}`],
  ["many small fields without end", `${ok}${"a: b\r\n".repeat(maxHeadBytes / 6)}\r\n`],
  ["preliminary replies without end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000)],
  ["a size line without end", `${ok}transfer-encoding: chunked\r\n\r\n1;${"x".repeat(2_000)}`],
  ["trailers without end", `${ok}transfer-encoding: chunked\r\n\r\n0\r\n${"a: b\r\n".repeat(maxHeadBytes / 4)}`],
])("%s is no HTTP, whole and byte by byte", (_, text) => {
  const all = bytes(text);
  expect(() => readAll([all])).toThrow(NotHttp);
  expect(() => readAll([...all].map((byte) => Buffer.of(byte)))).toThrow(NotHttp);
});

test("a head may take what servers allow", () => {
  const head = `${ok}content-length: 1\r\nx-token: `;
  const value = "v".repeat(maxHeadBytes - head.length);
  expect(readAll([bytes(`${head}${value}\r\n\r\nx`)])?.header("X-Token")).toBe(value);
  expect(() => readAll([bytes(`${head}${value}v\r\n\r\nx`)])).toThrow(NotHttp);
});

test.each<[string, string]>([
  ["that says its length", `${ok}content-length: 11\r\n\r\n`],
  ["in chunks", `${ok}transfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\n`],
  ["in one chunk", `${ok}transfer-encoding: chunked\r\n\r\nb\r\n`],
  ["that ends with the connection", `${ok}\r\nabcdefghijk`],
])("a body over the limit is read no further: one %s", (_, text) => {
  expect(seen(readAll([bytes(text)], 10))).toMatchObject({ text: undefined, idleLimitMs: 0 });
});

test("a body of just the limit is read", () => {
  for (const text of [
    `${ok}content-length: 11\r\n\r\nabcdefghijk`,
    `${ok}transfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n`,
    `${ok}\r\nabcdefghijk`,
  ]) {
    expect(readAll([bytes(text)], 11)?.text).toBe("abcdefghijk");
  }
});

test("a field is found by its whole name, and not within a value", () => {
  const reply = readAll([bytes(`${ok}x-token-2: no\r\na: x-token: no\r\nX-TOKEN: yes\r\ncontent-length: 0\r\n\r\n`)]);
  expect(reply?.header("x-token")).toBe("yes");
  expect(reply?.header("token")).toBeUndefined();
});
