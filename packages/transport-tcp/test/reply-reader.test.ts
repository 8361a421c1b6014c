import { createRequire } from "node:module";
import { fuzzMade } from "@continuum-cache/conformance";
import { CommandError, isCommandError, isTransportError, type Reply } from "@continuum-cache/core";
import { scaled, testScale } from "@continuum-cache/test-scale";
import { describe, expect, it } from "vitest";
import { toReply } from "../src/protocol/client-reply.ts";
import type { Slot } from "../src/protocol/replies.ts";
import { ReplyReader } from "../src/protocol/reply-reader.ts";
import { ReplyScanner } from "../src/protocol/watched-replies.ts";

/** Repeatable numbers below `bound`. */
const randomFrom = (seed: number) => (bound: number) => {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return (seed >> 8) % bound;
};
type Random = ReturnType<typeof randomFrom>;
const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)] as T;

const inputs = scaled(20_000, 1_000);

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");
const texts = [
  "",
  "x",
  "OK",
  "QUEUED",
  "\r\n$1\r\n*",
  "h\u00c3\u00a9llo",
  "\u00ef\u00bf\u00bd",
  "\u00ff\u00fe",
  "\u00c3",
  "\u00f0\u009f\u00a7\u00a0",
];

/** A well-formed reply of RESP2, as Latin-1 text. */
function replyText(random: Random, depth = 0): string {
  const text = (): string => pick(random, texts).repeat(1 + random(3)) + "y".repeat(random(4) === 0 ? random(300) : 0);
  const kinds: readonly (() => string)[] = [
    () => `+${pick(random, ["OK", "QUEUED", "QUEUED!", "", "PONG", "h\u00c3\u00a9", "\u00ff"])}\r\n`,
    () => `-${pick(random, ["ERR no such thing", "WRONGTYPE \u00c3\u00a9", "READONLY you can't"])}\r\n`,
    () =>
      `:${pick(random, ["", "-"])}${pick(random, ["0", "1", "42", "9007199254740991", "9007199254740993", "9223372036854775807"])}\r\n`,
    () => {
      const value = text();
      return `$${value.length}\r\n${value}\r\n`;
    },
    () => pick(random, ["$-1\r\n", "*-1\r\n"]),
    () => {
      const count = depth > 5 ? 0 : random(4);
      return `*${count}\r\n${Array.from({ length: count }, () => replyText(random, depth + 1)).join("")}`;
    },
  ];
  return pick(random, kinds)();
}

function chunksOf(bytes: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random(random(3) === 0 ? 3 : 200);
    // Sockets hand out memory that nothing else uses.
    chunks.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return chunks;
}

/** What a reply is, so that errors can be compared. */
const plain = (slot: Slot | undefined): unknown => {
  if (isTransportError(slot)) return `transport error ${slot.kind} ${slot.message.slice(0, 12)}`;
  if (isCommandError(slot)) return `command error ${slot.message}`;
  return Array.isArray(slot) ? slot.map(plain) : slot;
};

/** The plainest parser there can be: of bytes that are all there and all right. */
function reference(bytes: Buffer): unknown[] {
  let at = 0;
  const line = (): string => {
    const end = bytes.indexOf("\r\n", at);
    const text = bytes.toString("latin1", at, end);
    at = end + 2;
    return text;
  };
  const text = (part: Buffer): unknown => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(part);
    } catch {
      return new Uint8Array(part);
    }
  };
  const next = (depth: number): unknown => {
    const head = line();
    const rest = head.slice(1);
    if (head[0] === "+") return text(bytesOf(rest));
    if (head[0] === "-") {
      const message = bytesOf(rest).toString("utf8");
      if (depth === 0 && message.startsWith("READONLY")) return "transport error unreachable READONLY you";
      return `command error ${new CommandError(message).message}`;
    }
    // Beyond 2^53 no number holds them: the digits are added up, as the scanner does.
    const digits = [...rest.replace("-", "")].reduce((sum, digit) => sum * 10 + Number(digit), 0);
    const number = rest.startsWith("-") ? -digits : digits;
    if (head[0] === ":") return number;
    if (number < 0) return null;
    if (head[0] === "*") return Array.from({ length: number }, () => next(depth + 1));
    const part = bytes.subarray(at, at + number);
    at += number + 2;
    return text(part);
  };
  const replies: unknown[] = [];
  while (at < bytes.length) replies.push(next(0));
  return replies;
}

interface Read {
  readonly replies: Slot[];
  readonly queued: boolean[];
  readonly problem: string | undefined;
}

function read(chunks: readonly Buffer[], builds: (reply: number) => boolean = () => true): Read {
  const reader = new ReplyReader();
  const replies: Slot[] = [];
  const queued: boolean[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (reader.isBetween) reader.begin(builds(replies.length), 0);
      const end = reader.read(chunk, at);
      if (end < 0) break;
      replies.push(reader.take());
      queued.push(reader.isQueued);
      at = end;
    }
    if (reader.problem !== undefined) break;
  }
  return { replies, queued, problem: reader.problem };
}

describe("the reader of replies", () => {
  it(`reads what a plain parser reads, however it is cut into chunks (${inputs / 10} inputs)`, () => {
    const random = randomFrom(1);
    for (let input = 0; input < inputs / 10; input++) {
      const bytes = bytesOf(Array.from({ length: 1 + random(4) }, () => replyText(random)).join(""));
      const expected = reference(bytes);
      const found = read(random(10) === 0 ? [bytes] : chunksOf(bytes, random));
      expect(found.problem).toBeUndefined();
      expect(found.replies.map(plain)).toEqual(expected);
    }
  });

  it("steps over the replies that it is not told to build", () => {
    const random = randomFrom(2);
    for (let input = 0; input < inputs / 20; input++) {
      const bytes = bytesOf(Array.from({ length: 6 }, () => replyText(random)).join(""));
      const builds = Array.from({ length: 6 }, () => random(2) === 0);
      const expected = reference(bytes).map((reply, at) => (builds[at] ? reply : null));
      const found = read(chunksOf(bytes, random), (reply) => builds[reply] as boolean);
      expect(found.replies.map(plain)).toEqual(expected);
    }
  });

  it("reads what the parsers of ioredis 6 and 5 read", () => {
    const { resolve } = createRequire(import.meta.url);
    const six = createRequire(resolve("ioredis"))("./resp/decoder.js");
    const Five = createRequire(resolve("ioredis-5"))("redis-parser");
    const random = randomFrom(3);
    for (let input = 0; input < inputs / 20; input++) {
      const text = Array.from({ length: 1 + random(4) }, () => replyText(random)).join("");
      // Long integers come out of these parsers in other ways, which is for the scanner to amend.
      if (/:-?\d{16,}/.test(text)) continue;
      const chunks = chunksOf(bytesOf(text), random);
      const own = read(chunks).replies.map(plain);
      const sixth: unknown[] = [];
      const fifth: unknown[] = [];
      const to = (list: unknown[]) => (reply: unknown) =>
        void list.push(plain((isError(reply) ? topError(reply) : toReply(reply)) as Reply));
      const mapping = Object.fromEntries([43, 36, 61].map((type) => [type, Buffer]));
      const decoder = new six.Decoder({
        getTypeMapping: () => mapping,
        onReply: to(sixth),
        onErrorReply: to(sixth),
        onPush() {},
      });
      const parser = new Five({
        returnBuffers: true,
        returnReply: to(fifth),
        returnError: to(fifth),
        returnFatalError: to(fifth),
      });
      for (const chunk of chunks) {
        decoder.write(chunk);
        parser.execute(chunk);
      }
      expect([sixth, fifth]).toEqual([own, own]);
    }
  });

  it("tells of +QUEUED outside arrays, and of no other text", () => {
    const bytes = bytesOf(
      "+OK\r\n+QUEUED\r\n*1\r\n+QUEUED\r\n$6\r\nQUEUED\r\n+QUEUED!\r\n+QUEUE\r\n-QUEUED\r\n+QUEUED\r\n",
    );
    const expected = [false, true, false, false, false, false, false, true];
    expect(read([bytes]).queued).toEqual(expected);
    expect(read(chunksOf(bytes, () => 0)).queued).toEqual(expected);
  });

  it("gives the replies of RESP3 the shapes that they have in RESP2", () => {
    const bytes = bytesOf(
      "_\r\n#t\r\n#f\r\n,1.5\r\n(12345678901234567890\r\n=5\r\ntxt:a\r\n%1\r\n+k\r\n:1\r\n~1\r\n:2\r\n!5\r\nERR x\r\n",
    );
    const expected = [null, 1, 0, "1.5", "12345678901234567890", "a", ["k", 1], [2], "command error ERR x"];
    expect(read([bytes]).replies.map(plain)).toEqual(expected);
    expect(read(chunksOf(bytes, () => 0)).replies.map(plain)).toEqual(expected);
  });

  it("tells errors of the connection from those of commands at the depth that it is told", () => {
    const bytes = bytesOf("*2\r\n-READONLY x\r\n*1\r\n-READONLY y\r\n");
    const reader = new ReplyReader();
    reader.begin(true, 1);
    expect(reader.read(bytes, 0)).toBe(bytes.length);
    const [outer, [inner]] = reader.take() as [Slot, [Slot]];
    expect([isTransportError(outer), isCommandError(inner)]).toEqual([true, true]);
    expect(reader.take()).toBeNull();
  });

  it(`ends what is no reply with the problem that the scanner has with it (${inputs} inputs)`, () => {
    const random = randomFrom(4);
    const alphabet = [..."*$:+-%~>_#,(=!0123456789\r\n", "\r\n", "\r\n", "*9", "9999", "*1\r\n", "x", "\x00"];
    const make = (): Buffer[] => {
      let text = Array.from({ length: 1 + random(3) }, () => replyText(random)).join("");
      for (let changes = random(4); changes > 0; changes--) {
        const at = random(text.length + 1);
        text = text.slice(0, at) + pick(random, alphabet) + text.slice(at + random(3));
      }
      return chunksOf(bytesOf(text), random);
    };
    const run = (chunks: readonly Buffer[]): void => {
      const scanner = new ReplyScanner();
      let problem: string | undefined;
      for (const chunk of chunks) problem ??= scanner.scan(chunk).problem;
      expect(read(chunks).problem).toBe(problem);
    };
    const { worstMs, grownMib } = fuzzMade({ make, run, isExpected: () => false, inputs });
    if (testScale >= 10) console.log(`${inputs} inputs, worst ${worstMs.toFixed(2)} ms, ${grownMib.toFixed(0)} MiB`);
    // It finds hangs only, whatever else the machine does.
    expect(worstMs).toBeLessThan(20_000);
  });

  it("allocates by what has come, not by what is claimed", () => {
    const before = process.memoryUsage();
    const readers = Array.from({ length: 300 }, (_, number) => {
      const reader = new ReplyReader();
      reader.begin(true, 0);
      const claims = number % 2 === 0 ? "$536870912\r\nxyz" : `*8388608\r\n${"+\r\n".repeat(3)}`;
      expect(reader.read(bytesOf(claims), 0)).toBe(-1);
      return reader;
    });
    const after = process.memoryUsage();
    const grown = after.heapTotal + after.arrayBuffers - before.heapTotal - before.arrayBuffers;
    // A hundredth of what one of them claims.
    expect(grown).toBeLessThan(64 * 2 ** 20);
    expect(readers.every((reader) => reader.problem === undefined)).toBe(true);
  });

  it("takes time in proportion to a text, a line or an array that comes in many small chunks", () => {
    // Were each chunk to copy or to read again what came before it, this would take hours.
    const inChunks = (text: string, length: number): Slot[] => {
      const bytes = bytesOf(text);
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += length) chunks.push(bytes.subarray(at, at + length));
      return read(chunks).replies;
    };
    const value = "x".repeat(4 * 2 ** 20);
    expect(inChunks(`$${value.length}\r\n${value}\r\n`, 5)).toEqual([value]);
    const line = "x".repeat(2 ** 20);
    expect(inChunks(`+${line}\r\n`, 1)).toEqual([line]);
    expect(inChunks(`*400000\r\n${":1\r\n".repeat(400_000)}`, 3)).toEqual([Array(400_000).fill(1)]);
  });
});

const isError = (reply: unknown): reply is Error => reply instanceof Error;
const topError = ({ message }: Error): Slot =>
  read([bytesOf(`-${Buffer.from(message).toString("latin1")}\r\n`)]).replies[0] as Slot;
