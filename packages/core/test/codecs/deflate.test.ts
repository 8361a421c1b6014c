import { type Codec, isCodecError, json } from "@continuum-cache/core";
import type { compressed } from "@continuum-cache/core/compressed";
import { msgpack } from "@continuum-cache/core/msgpack";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

afterEach(() => vi.unstubAllGlobals());

/** Forgets what was chosen, and chooses as in a bundle that may run anywhere: Node itself takes the other module. */
function resetToPortable(): void {
  vi.resetModules();
  vi.doMock("#deflate", () => import("../../src/codecs/deflate/portable-deflate.ts"));
}

/** A copy of the module that has not yet chosen an implementation, in a process with these parts. */
async function freshIn(globals: Record<string, unknown>): Promise<typeof compressed> {
  resetToPortable();
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  const { compressed: fresh } = await import("@continuum-cache/core/compressed");
  // It chooses when it first compresses.
  fresh(json(), { above: 0 }).encode("choose ".repeat(10));
  vi.unstubAllGlobals();
  return fresh;
}

const text = "lattice ".repeat(1_000);
const getBuiltinModule = vi.fn(process.getBuiltinModule);
const spied = Object.assign(Object.create(process) as typeof process, { getBuiltinModule });
const byZlib = await freshIn({ process: spied });
const byFflate = await freshIn({ process: { ...process, getBuiltinModule: undefined } });
const implementations = [
  ["node:zlib", byZlib],
  ["fflate", byFflate],
] as const;

const failure = (codec: Codec, stored: Uint8Array): unknown => {
  try {
    return codec.decode(stored);
  } catch (error) {
    return error;
  }
};

describe("the compressing codec", () => {
  it("asks for node:zlib once, when it first compresses", async () => {
    expect(getBuiltinModule).toHaveBeenCalledTimes(1);
    resetToPortable();
    vi.stubGlobal("process", spied);
    const { compressed: fresh } = await import("@continuum-cache/core/compressed");
    const codec = fresh(json());
    codec.decode(codec.encode("small"));
    expect(getBuiltinModule).toHaveBeenCalledTimes(1);
    const stored = codec.encode({ text });
    expect(codec.decode(stored)).toEqual({ text });
    expect(getBuiltinModule).toHaveBeenCalledTimes(2);
  });

  it("in Node takes node:zlib, and does not come with fflate", async () => {
    vi.doUnmock("#deflate");
    vi.resetModules();
    const { deflate, inflate } = await import("../../src/codecs/deflate/node-deflate.ts");
    const bytes = new TextEncoder().encode(text);
    const deflated = deflate(bytes, 1);
    expect(inflate(deflated, bytes.length)).toEqual(Buffer.from(bytes));
    vi.resetModules();
    vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
    const without = await import("../../src/codecs/deflate/node-deflate.ts");
    expect(() => without.inflate(deflated, bytes.length)).toThrow(/no node:zlib/);
  });

  it.each<[string, Record<string, unknown>]>([
    ["a Worker, whatever its process says", { navigator: { userAgent: "Cloudflare-Workers" }, process: spied }],
    ["the Edge runtime", { EdgeRuntime: "edge-runtime", process: spied }],
    ["a browser", { navigator: { userAgent: "Mozilla/5.0" }, process: { ...spied, versions: {} } }],
  ])("does without it in %s", async (_, globals) => {
    getBuiltinModule.mockClear();
    const fresh = await freshIn(globals);
    expect(getBuiltinModule).not.toHaveBeenCalled();
    expect(fresh(json()).encode({ text })).toEqual(byFflate(json()).encode({ text }));
  });

  it.each(implementations)("reads with %s what either has written, at every level", (_, reader) => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(3_000),
        fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9),
        (part, bytes, times, level) => {
          const value = { text: part.repeat(times), bytes };
          for (const [, writer] of implementations) {
            const stored = writer(msgpack(), { above: 0, level }).encode(value);
            expect(reader(msgpack()).decode(stored)).toEqual(value);
          }
        },
      ),
      runs(50),
    );
  });

  it.each(implementations)("reads with %s values of every size near its buffers", (_, reader) => {
    const sizes = [...Array.from({ length: 130 }, (_, size) => size), 4_095, 4_096, 16_383, 16_384, 16_385, 65_536];
    for (const [, writer] of implementations) {
      for (const size of sizes) {
        const value = "x".repeat(size);
        expect(reader(json()).decode(writer(json(), { above: 0 }).encode(value))).toBe(value);
      }
    }
  });

  it.each(implementations)("hands out bytes in memory of their own by %s", (_, make) => {
    const seen: (string | Uint8Array)[] = [];
    const bytes: Codec = {
      name: "bytes",
      encode: () => new Uint8Array(200).fill(0xff),
      decode: (stored) => seen.push(stored),
    };
    const codec = make(bytes, { above: 0 });
    codec.decode(codec.encode(1));
    const [found] = seen as [Uint8Array];
    expect(found.constructor).toBe(Uint8Array);
    expect([found.byteOffset, found.buffer.byteLength]).toEqual([0, 200]);
  });

  it.each(implementations)("rejects with %s what is damaged, cut short, or longer than it announces", (_, make) => {
    const codec = make(json(), { above: 0 });
    const good = codec.encode({ text }) as Uint8Array;
    fc.assert(
      fc.property(fc.nat(good.length - 3), fc.nat(255), (at, byte) => {
        const bad = good.slice();
        bad[at + 2] = byte;
        const found = failure(codec, bad);
        if (found instanceof Error) expect(isCodecError(found)).toBe(true);
      }),
      runs(),
    );
    for (let length = 2; length < good.length; length++) {
      expect(isCodecError(failure(codec, good.subarray(0, length)))).toBe(true);
    }
    const announcing = (length: number): Uint8Array => {
      const lie = good.slice();
      new DataView(lie.buffer).setUint32(2, length);
      return lie;
    };
    for (const length of [0, 1, 63, 64, 100, 8_000, 20_000]) {
      expect(isCodecError(failure(codec, announcing(length)))).toBe(true);
    }
  });
});

it("node:zlib never inflates more than is announced and one buffer of it", () => {
  const bomb = byZlib(json(), { maxInflatedBytes: 64 << 20 }).encode("x".repeat(40 << 20)) as Uint8Array;
  new DataView(bomb.buffer).setUint32(2, 1_000);
  const before = process.memoryUsage();
  expect(isCodecError(failure(byZlib(json()), bomb))).toBe(true);
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 << 20);
});
