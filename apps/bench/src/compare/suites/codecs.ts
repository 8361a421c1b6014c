import { deflateRawSync, inflateRawSync } from "node:zlib";
import { payloads } from "../../payloads.ts";
import { checkValue } from "../check-value.ts";
import { cpu, perSecond } from "../columns.ts";
import { inTurn } from "../measures.ts";
import type { Contender, Measure, Suite } from "../suite.ts";

const { session, "search list (50)": list } = payloads();
const embedding = "Float32Array(1536)";
const floats = Float32Array.from({ length: 1_536 }, (_, nth) => Math.sin(nth) / 20);
const plain = { session, "list of 20 KB": list };
const values: Readonly<Record<string, unknown>> = { [embedding]: floats, ...plain };
const compressedList = "list of 20 KB, compressed";

const scenarioOf = (payload: string, way: "encode" | "decode"): string => `${payload}: ${way}`;

interface Pair {
  encode(value: unknown): unknown;
  decode(stored: never): unknown;
}

const measuresOf = (name: string, payload: string, value: unknown, pair: Pair): Record<string, Measure> => {
  const { encode, decode } = pair;
  const stored = encode(value) as never;
  checkValue(name, value, decode(stored));
  return {
    [scenarioOf(payload, "encode")]: inTurn(() => encode(value)),
    [scenarioOf(payload, "decode")]: inTurn(() => decode(stored)),
  };
};

/** @param payloads - Those that it can hold. */
const contender = (
  name: string,
  kind: string,
  payloads: Readonly<Record<string, unknown>>,
  make: () => Promise<Pair>,
): Contender => ({
  name,
  kind,
  async open() {
    const pair = await make();
    const all = Object.entries(payloads).map(([payload, value]) => measuresOf(name, payload, value, pair));
    return { measures: Object.assign({}, ...all) };
  },
});

const compressible = { [compressedList]: list };

/** Values into what is stored, and back. */
export const codecs: Suite = {
  name: "codecs",
  title: "Codecs",
  about:
    "A session of 0.4 KB, a search list of 20 KB and an embedding. node:zlib deflates the same JSON at " +
    "the same level, 1.",
  servers: "none",
  value: perSecond,
  columns: [cpu],
  scenarios: [...Object.keys(values), compressedList].flatMap((payload) => [
    scenarioOf(payload, "encode"),
    scenarioOf(payload, "decode"),
  ]),
  contenders: [
    contender("msgpack()", "ours", values, async () => (await import("@continuum-cache/core/msgpack")).msgpack()),
    contender("json()", "ours", plain, async () => (await import("@continuum-cache/core")).json()),
    contender("compressed(json())", "ours", compressible, async () => {
      const { json } = await import("@continuum-cache/core");
      const { compressed } = await import("@continuum-cache/core/compressed");
      return compressed(json());
    }),
    contender("msgpackr", "msgpackr", values, async () => {
      const { Packr } = await import("msgpackr");
      const packr = new Packr({ useRecords: false, moreTypes: true });
      return { encode: (each) => packr.pack(each), decode: (stored) => packr.unpack(stored) };
    }),
    contender("@msgpack/msgpack", "@msgpack/msgpack", plain, async () => {
      const { Decoder, Encoder } = await import("@msgpack/msgpack");
      const [encoder, decoder] = [new Encoder(), new Decoder()];
      return { encode: (each) => encoder.encode(each), decode: (stored) => decoder.decode(stored) };
    }),
    contender("JSON", "JSON", plain, async () => ({
      encode: (each) => JSON.stringify(each),
      decode: (stored) => JSON.parse(stored),
    })),
    contender("JSON of a list of numbers", "JSON", { [embedding]: floats }, async () => ({
      encode: (each) => JSON.stringify(Array.from(each as Float32Array)),
      decode: (stored) => Float32Array.from(JSON.parse(stored)),
    })),
    contender("node:zlib", "node:zlib", compressible, async () => ({
      encode: (each) => deflateRawSync(JSON.stringify(each), { level: 1 }),
      decode: (stored) => JSON.parse(inflateRawSync(stored).toString()),
    })),
  ],
};
