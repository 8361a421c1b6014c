import { Cache, type Codec, json, type Reply } from "@continuum-cache/core";
import { toTextForm } from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type EntryHeader, openEntry, withHeader } from "../../src/cache/entry.ts";
import { plainEntry } from "../../src/cache/entry-start.ts";
import { recordingTransport } from "../recording-transport.ts";

const header = fc.record(
  {
    freshUntilMs: fc.nat(),
    loadMs: fc.double({ min: 0, max: 1e6, noNaN: true }).map((ms) => Math.abs(ms)),
    markers: fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string(), fc.string()), { maxLength: 3 }),
    placeholder: fc.record({ token: fc.string(), expectedMs: fc.nat() }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<EntryHeader>;

/** A cache whose keys all hold this. */
const holding = (stored: Reply, codec: Codec = json()) =>
  new Cache({
    transport: recordingTransport(([name, ...keys]) => {
      if (name === "MGET") return keys.map(() => stored);
      return name === "GET" ? stored : "OK";
    }),
    codec,
  });

/** Writes strings as they are, as a codec of another project may. */
const rawText: Codec = { name: "raw", encode: (value) => value as string, decode: (stored) => stored };

const inAnHour = () => Date.now() + 3_600_000;

describe("an entry", () => {
  it("comes back in its parts, whatever the tags and the body", () => {
    const body = fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array());
    fc.assert(
      fc.property(header, body, (head, written) => {
        expect(openEntry(withHeader(head, written))).toEqual({ header: head, body: written });
      }),
      runs(300),
    );
  });

  it("keeps text as text, and shows the stored format", () => {
    const stored = withHeader({ freshUntilMs: 1_700_000_000_000, loadMs: 35 }, '{"hello":"world"}');
    expect(stored).toBe('~1{"f":1700000000000,"l":35}\n{"hello":"world"}');
    expect(withHeader({ markers: [["user:7", "a1", ""]] }, "5")).toBe('~1{"t":[["user:7","a1",""]]}\n5');
    expect(withHeader({ placeholder: { token: "x", expectedMs: 200 } }, "")).toBe('~1{"p":["x",200]}\n');
    const bytes = withHeader({ loadMs: 3 }, msgpack().encode([1.5])) as Uint8Array;
    expect([...bytes.subarray(0, 2)]).toEqual([0xc1, 0x68]);
  });

  it("keeps bytes as bytes, also in the text form of a backend that can't carry bytes", async () => {
    const value = { at: new Date(0), vector: Float32Array.of(0.5) };
    const stored = withHeader({ freshUntilMs: inAnHour() }, msgpack().encode(value));
    expect(await holding(stored, msgpack()).get("k")).toEqual(value);
    expect(await holding(toTextForm(stored as Uint8Array), msgpack()).get("k")).toEqual(value);
  });

  it("without a header is what the codec wrote", () => {
    for (const stored of ['{"a":1}', "5", "", "ada", "=bm8=", new Uint8Array([0xc1, 0x6d, 1]), new Uint8Array(0)]) {
      expect(openEntry(stored)).toBeUndefined();
      expect(plainEntry(stored)).toBe(stored);
    }
  });

  it.each([
    "~",
    "~1",
    "~1{",
    "~1{}",
    "~1{]\n",
    '~1{"f":"soon"}\n1',
    '~1{"t":"a"}\n1',
    '~1{"t":[5]}\n1',
    '~1{"t":[null]}\n1',
    '~1{"p":1}\n',
    "~1[]\n",
    "~2{}\n",
  ])("is another client's text when it only begins like one: %j", async (text) => {
    expect(openEntry(text)).toBeUndefined();
    expect(await holding(text, rawText).get("k")).toBe(text);
  });

  it("ignores fields that a later version may add", () => {
    expect(openEntry('~1{"l":2,"new":{"deep":[1]}}\n5')).toEqual({ header: { loadMs: 2 }, body: "5" });
    expect(openEntry('~1{"__proto__":{"f":1}}\n5')).toEqual({ header: {}, body: "5" });
  });
});

describe("a read", () => {
  it("brings a fresh value behind a header", async () => {
    const cache = holding(withHeader({ freshUntilMs: inAnHour(), loadMs: 2 }, '{"a":1}'));
    expect(await cache.get("k")).toEqual({ a: 1 });
    expect(await cache.getMany(["k", "l"])).toEqual([{ a: 1 }, { a: 1 }]);
    expect(await cache.pipeline().get("k").execute()).toEqual([{ a: 1 }]);
    const loader = vi.fn();
    const [one, two] = await Promise.all([cache.getOrSet("k", loader), cache.getOrSet("k", loader)]);
    expect(one).toEqual({ a: 1 });
    expect(one).toEqual(two);
    expect(one).not.toBe(two);
    expect(loader).not.toHaveBeenCalled();
  });

  it.each([
    ["a placeholder", withHeader({ placeholder: { token: "x", expectedMs: 9 } }, "")],
    ["a value that is no longer fresh", withHeader({ freshUntilMs: 1_000 }, '{"a":1}')],
  ])("treats %s as a miss", async (_, stored) => {
    const cache = holding(stored);
    expect(await cache.get("k")).toBeUndefined();
    expect(await cache.getMany(["k"])).toEqual([undefined]);
    expect(await cache.getOrSet("k", () => "loaded")).toBe("loaded");
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 3 });
  });

  it("brings what a codec of raw text wrote, also where it looks like a header", async () => {
    const forged = '~1{"p":["token",5]}\nvalue';
    let stored: Reply = null;
    const transport = recordingTransport(([name, , value]) => {
      if (name === "MGET") return [stored];
      stored = value as string;
      return "OK";
    });
    const cache = new Cache({ transport, codec: rawText });
    await cache.set("k", forged);
    expect(await cache.get("k")).toBe(forged);
  });
});
