import { fuzz, fuzzMade } from "@continuum-cache/conformance";
import { isCodecError, isConfigError, json, keyPattern, keys } from "@continuum-cache/core";
import { compressed } from "@continuum-cache/core/compressed";
import {
  combineCodecs,
  compileGlob,
  errorFromRedis,
  fromMessageText,
  fromWireChannel,
  parseEndpoint,
  parseRedisUrl,
  seal,
  textOrBytes,
  toMessageText,
  toMs,
  toTextForm,
  toWireChannel,
  toWirePattern,
  unseal,
} from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { inBoundedTime } from "@continuum-cache/test-scale/hostile-inputs";
import { describe, expect, it } from "vitest";

const repeated = { inputs: scaled(2_000), seed: testSeed };

const values = [
  { id: "user_123", tags: ["a", "é😀"], n: 12.5, none: null, yes: true, deep: [[[{ a: [] }]]] },
  ["x".repeat(100), 9007199254740991, -1, 1e21, 0.1],
  "plain",
  42,
];
const rich = [
  { at: new Date(0), tags: new Map([["a", new Set([1n, { b: [1] }])]]), vector: Float32Array.of(0.5, -1) },
  [Uint8Array.of(1, 2, 3), -(2n ** 80n), new Map([[{ k: 1 }, "v".repeat(300)]])],
];
const bytesOf = (stored: string | Uint8Array): Uint8Array =>
  typeof stored === "string" ? new TextEncoder().encode(stored) : stored;
const asBytes = (codec: { encode(value: unknown): string | Uint8Array }, given: readonly unknown[]): Uint8Array[] =>
  given.map((value) => bytesOf(codec.encode(value)));
const isDataError = (error: unknown): boolean => error instanceof TypeError || error instanceof RangeError;
const never = (): boolean => false;

const jsonTexts = values.map((value) => JSON.stringify(value));
const jsonPieces = [
  "[",
  '{"a":',
  '"',
  "\\",
  "\\u00",
  "12345678901234567890",
  "1e999",
  "-0",
  "null",
  "[[[[",
  "__proto__",
];
const sealedPieces = [
  Uint8Array.of(0xc1, 0x6d),
  Uint8Array.of(0xdd, 0, 0, 1, 0),
  Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xdf, 0, 0, 0, 9),
  Uint8Array.of(0xc8, 0, 9, 1, 0x92),
  Uint8Array.of(0xc7, 3, 2, 0x91),
  Uint8Array.of(0x91),
  Uint8Array.of(0x81, 0xa1, 0x61),
];
const everyCodec = combineCodecs([compressed(msgpack(), { above: 0 }), msgpack()]);
const everyStored = [
  ...asBytes(json(), values),
  ...asBytes(msgpack(), [...values, ...rich]),
  ...asBytes(compressed(json(), { above: 0 }), values),
];
const texts = [...everyStored.map(toTextForm), ...jsonTexts, toMessageText("two\nlines"), toMessageText("plain")];
const errorTexts = [
  "ERR unknown command 'X', with args beginning with: 'secret' ",
  "WRONGPASS invalid username-password pair",
  "ERR max daily request limit exceeded. Limit: 10000, Usage: 10000",
  'NOSCRIPT No matching script. Please use EVAL., command was: [["SET"]]',
];
const order = keyPattern("order:{region}:{id}:x");

/**
 * Every decoder and parser of core: its samples, what means something to it, and the errors that it may answer with.
 */
const targets = {
  "json().decode": () =>
    fuzz({
      ...repeated,
      samples: jsonTexts,
      pieces: jsonPieces,
      run: (text) => json().decode(text),
      isExpected: isCodecError,
    }),
  "msgpack().decode": () =>
    fuzz({
      ...repeated,
      samples: asBytes(msgpack(), [...values, ...rich]),
      pieces: sealedPieces,
      run: (bytes) => msgpack().decode(bytes),
      isExpected: isCodecError,
    }),
  "msgpack().decode, always sealed": () =>
    fuzz({
      ...repeated,
      samples: asBytes(msgpack(), rich).map((sealed) => sealed.subarray(2)),
      pieces: sealedPieces,
      run: (body) => msgpack().decode(seal("m", body)),
      isExpected: isCodecError,
    }),
  "compressed(msgpack()).decode": () => {
    const codec = compressed(msgpack(), { above: 0 });
    return fuzz({
      ...repeated,
      samples: asBytes(codec, rich),
      run: (bytes) => codec.decode(bytes),
      isExpected: isCodecError,
    });
  },
  "compressed(json()).decode, always sealed": () => {
    const codec = compressed(json(), { above: 0 });
    const bodies = asBytes(codec, values.slice(0, 2)).map((sealed) => sealed.subarray(2));
    return fuzz({
      ...repeated,
      samples: bodies,
      run: (body) => codec.decode(seal("z", body)),
      isExpected: isCodecError,
    });
  },
  "readers.decode of bytes": () =>
    fuzz({
      ...repeated,
      samples: everyStored,
      pieces: sealedPieces,
      run: (bytes) => everyCodec.decode(bytes),
      isExpected: isCodecError,
    }),
  "readers.decode of text": () =>
    fuzz({
      ...repeated,
      samples: texts,
      pieces: ["=w", ...jsonPieces],
      run: (text) => everyCodec.decode(text),
      isExpected: isCodecError,
    }),
  "a message as it was heard": () =>
    fuzz({
      ...repeated,
      samples: texts,
      pieces: ["=", "~", "=wU", "=wV"],
      run: (text) => everyCodec.decode(fromMessageText(text)),
      isExpected: isCodecError,
    }),
  "unseal of text": () =>
    fuzz({ ...repeated, samples: texts, pieces: ["=", "=w"], run: (text) => unseal("m", text), isExpected: never }),
  textOrBytes: () => fuzz({ ...repeated, samples: everyStored, run: textOrBytes, isExpected: never }),
  "a glob": () =>
    fuzz({
      ...repeated,
      samples: ["query:*", "a[b-d]?[^x]\\*", "*a*b*c*"],
      pieces: ["*", "?", "[", "[^", "a-", "]", "\\"],
      run: (glob) => compileGlob(glob)("query:aaaaaaaaaabbbbbbbbbbcccccccccc"),
      isExpected: never,
    }),
  "a key, parsed": () =>
    fuzz({
      ...repeated,
      samples: [order({ region: "eu", id: "a:*" }), "order:eu:7:x", keys.session({ userId: "%" })],
      pieces: ["%", "%3A", "%25", ":", "order:", ":x"],
      run: (key) => [order.parse(key), keys.session.parse(key)],
      isExpected: never,
    }),
  "a key's parameter": () =>
    fuzz({
      ...repeated,
      samples: ["eu", "a:*", "%"],
      pieces: ["%", "%3A", ":", "*"],
      run(id) {
        const key = order({ region: "eu", id });
        const back = order.parse(key);
        if (back?.id !== id) throw new Error(`made ${key}, parsed ${back?.id}`);
      },
      isExpected: isDataError,
    }),
  "a key's template": () =>
    fuzz({
      ...repeated,
      samples: ["order:{region}:{id}", "a:{b}"],
      pieces: ["{", "}", "{a}", ":", "{a}:{b}"],
      run: (template) => keyPattern(template).parse("order:eu:7"),
      isExpected: isDataError,
    }),
  "a duration": () =>
    fuzz({
      ...repeated,
      samples: ["250ms", "1.5s", "5m", "1h", "1d"],
      pieces: ["1", ".", "ms", "e3", "s"],
      run: (text) => toMs(text as "1s", "ttl"),
      isExpected: isConfigError,
    }),
  "a channel": () =>
    fuzz({
      ...repeated,
      samples: ["ws:memory:updates", "prices,eur", "."],
      pieces: ["%", "%2C", ",", "."],
      run(channel) {
        if (fromWireChannel(toWireChannel(channel)) !== channel) throw new Error("came back as another");
      },
      isExpected: isDataError,
    }),
  "a channel's pattern": () =>
    fuzz({
      ...repeated,
      samples: ["ws:*", "a[b,c]", "x\\,"],
      pieces: ["[", "]", "\\", ",", "*"],
      run: toWirePattern,
      isExpected: isDataError,
    }),
  "what Redis refuses": () =>
    fuzz({
      ...repeated,
      samples: errorTexts,
      pieces: [" with args beginning with:", ", command was:", "Bearer ", "?_token=", "redis://", "@", "ERR "],
      run: (text) => String(errorFromRedis(text, "test")),
      isExpected: never,
    }),
  "a server's address": () =>
    fuzz({
      ...repeated,
      samples: ["https://x.upstash.io", "https://127.0.0.1:8079", "http://[::1]/"],
      pieces: ["://", "@", ":", "[", "]", "//", "%"],
      run: (text) => parseEndpoint(text, { setting: "url", schemes: ["https:", "http:"], allowInsecure: true }),
      isExpected: isConfigError,
    }),
  "a Redis server's address": () =>
    fuzz({
      ...repeated,
      samples: ["rediss://default:secret@x.upstash.io:6379/2", "redis://127.0.0.1?db=1", "unix:///run/redis.sock?db=1"],
      pieces: ["://", "@", ":", "[", "]", "//", "%", "?db=", "&"],
      run: (text) => parseRedisUrl(text, { setting: "url", allowInsecure: true }),
      isExpected: isConfigError,
    }),
};

describe("hostile inputs to core", () => {
  it.each(Object.entries(targets))("%s: no error but its own, in bounded time", inBoundedTime());
});

describe("fuzz", () => {
  it("makes the same inputs from the same seed, short and long, and counts what is rejected", () => {
    const seen = (seed: number): string[] => {
      const inputs: string[] = [];
      fuzz({ samples: ["abc"], run: (text) => inputs.push(text), isExpected: never, inputs: 500, seed });
      return inputs;
    };
    expect(new Set(seen(1))).toEqual(new Set(seen(1)));
    expect(seen(1)).not.toEqual(seen(2));
    const report = fuzz({
      samples: ["abc"],
      run: () => JSON.parse("{"),
      isExpected: (e) => e instanceof SyntaxError,
      inputs: 50,
    });
    expect(report).toMatchObject({ inputs: 50, rejected: 50 });
  });

  it("ends with an error that is not expected, and names the input", () => {
    const run = (bytes: Uint8Array) => {
      if (bytes.length > 1) throw new RangeError("stack");
    };
    const call = () => fuzz({ samples: [Uint8Array.of(1, 2)], run, isExpected: isCodecError, inputs: 100 });
    expect(call).toThrow(/Input \d+ of seed 1: [0-9a-f ]+ \(\d+ bytes\): RangeError: stack/);
  });

  it("takes inputs of any kind, each made from a number of its own, and reports the one that took longest", () => {
    const made: number[] = [];
    const slowest = new Set<unknown>();
    const report = fuzzMade({
      make: (seed) => ({ seed: made.push(seed) && seed }),
      run: (input) => {
        if (input.seed !== 12) return;
        slowest.add(input);
        for (const endMs = performance.now() + 50; performance.now() < endMs; );
        throw new RangeError("slow");
      },
      isExpected: (error) => error instanceof RangeError,
      inputs: 10,
      seed: 7,
    });
    expect(made).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    expect(report).toMatchObject({ inputs: 10, rejected: 1 });
    expect(slowest).toContain(report.worstInput);
    expect(report.worstMs).toBeGreaterThanOrEqual(50);
    expect(() =>
      fuzzMade({ make: (seed) => [seed], run: () => JSON.parse("{"), isExpected: () => false, seed: 3 }),
    ).toThrow(/Input 0 of seed 3: object: SyntaxError/);
  });
});
