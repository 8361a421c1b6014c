import { createRequire } from "node:module";
import { fuzzMade } from "@continuum-cache/conformance";
import { scaled, testScale } from "@continuum-cache/test-scale";
import { describe, expect, it } from "vitest";
import { ReplyScanner } from "../src/protocol/watched-replies.ts";

interface Decoder {
  write(chunk: Buffer): void;
}
interface DecoderModule {
  readonly Decoder: new (options: object) => Decoder;
}
/** The parser that stands behind the scanner. */
const { Decoder } = createRequire(import.meta.url)(
  createRequire(import.meta.url)
    .resolve("ioredis")
    .replace(/index\.js$/, "resp/decoder.js"),
) as DecoderModule;

/** Repeatable numbers below `bound`. */
const randomFrom = (seed: number) => (bound: number) => {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return (seed >> 8) % bound;
};
type Random = ReturnType<typeof randomFrom>;

/** A well-formed reply of RESP2 or RESP3. */
function reply(random: Random, depth = 0): string {
  const text = (): string => "x\r\n$*:".slice(0, random(7)).repeat(random(3));
  const items = (count: number): string => Array.from({ length: count }, () => reply(random, depth + 1)).join("");
  const kinds: readonly (() => string)[] = [
    () => `+${"OK".repeat(random(3))}\r\n`,
    () => "-ERR no such thing\r\n",
    () => `:${random(2) ? "-" : ""}${random(10_000)}\r\n`,
    () => {
      const value = text();
      return `$${value.length}\r\n${value}\r\n`;
    },
    () => "$-1\r\n",
    () => "*-1\r\n",
    () => "_\r\n",
    () => "#t\r\n",
    () => `,${random(100)}.5\r\n`,
    () => `(${random(1_000)}000000000000000000\r\n`,
    () => "=5\r\ntxt:a\r\n",
    () => {
      const count = depth > 5 ? 0 : random(4);
      return `${"*~>"[random(depth === 0 ? 3 : 2)]}${count}\r\n${items(count)}`;
    },
    () => {
      const count = depth > 5 ? 0 : random(3);
      return `%${count}\r\n${items(count * 2)}`;
    },
  ];
  return (kinds[random(kinds.length)] as () => string)();
}

const chunksOf = (text: string, random: Random): Buffer[] => {
  const bytes = Buffer.from(text, "latin1");
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random(random(3) === 0 ? 3 : 200);
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
};

const inputs = scaled(20_000, 1_000);

describe("the scanner of replies", () => {
  it("takes every well-formed reply, however it is cut into chunks", () => {
    const random = randomFrom(1);
    const scanner = new ReplyScanner();
    for (let input = 0; input < inputs / 10; input++) {
      const replies = Array.from({ length: 1 + random(4) }, () => reply(random)).join("");
      for (const chunk of chunksOf(replies, random)) expect(scanner.scan(chunk).problem, replies).toBeUndefined();
    }
  });

  it("finds each +QUEUED outside arrays, and no other text", () => {
    const queued = (chunks: readonly string[]): string[] => {
      const scanner = new ReplyScanner();
      return chunks.flatMap((chunk) =>
        scanner
          .scan(Buffer.from(chunk))
          .marked.filter(({ isQueued }) => isQueued)
          .map(({ start, end }) => chunk.slice(start, end)),
      );
    };
    expect(queued(["+OK\r\n+QUEUED\r\n:1\r\n+QUEUED\r\n"])).toEqual(["+QUEUED\r\n", "+QUEUED\r\n"]);
    expect(queued(["+OK\r\n+QUE", "UED\r", "\n:1\r\n"])).toEqual(["\n"]);
    expect(queued(["$6\r\nQUEUED\r\n*1\r\n+QUEUED\r\n+QUEUE\r\n+QUEUED!\r\n-QUEUED\r\n+xQUEUED\r\n"])).toEqual([]);
  });

  const title = `rejects input that would make the parser throw, recurse or allocate without bound (${inputs} inputs)`;
  it(title, () => {
    const random = randomFrom(2);
    const alphabet = [..."*$:+-%~>_#,(=!0123456789\r\n", "\r\n", "\r\n", "*9", "9999", "*1\r\n", "x", "\x00"];
    const make = (): Buffer[] => {
      let text = Array.from({ length: 1 + random(3) }, () => reply(random)).join("");
      for (let changes = random(4); changes > 0; changes--) {
        const at = random(text.length + 1);
        text = text.slice(0, at) + alphabet[random(alphabet.length)] + text.slice(at + random(3));
      }
      return chunksOf(text, random);
    };
    const run = (chunks: readonly Buffer[]): void => {
      const scanner = new ReplyScanner();
      const decoder = new Decoder({ getTypeMapping: () => ({}), onReply() {}, onErrorReply() {}, onPush() {} });
      for (const chunk of chunks) {
        if (scanner.scan(chunk).problem !== undefined) return;
        decoder.write(chunk);
      }
    };
    const { worstMs, grownMib } = fuzzMade({ make, run, isExpected: () => false, inputs });
    if (testScale >= 10) console.log(`${inputs} inputs, worst ${worstMs.toFixed(2)} ms, ${grownMib.toFixed(0)} MiB`);
    // It finds hangs only, whatever else the machine does.
    expect(worstMs).toBeLessThan(20_000);
  });
});
