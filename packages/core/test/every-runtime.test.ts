import { control, site } from "@continuum-cache/runtime-site";
import { same, until } from "@continuum-cache/runtime-site/same";
import { describe, it } from "vitest";
import { memoryTransport } from "../../fallback-memory/src/index.ts";
import { restTransport } from "../../transport-rest/src/index.ts";
import { compressed } from "../src/compressed.ts";
import { Cache, isCodecError, isTransportError, json, keyPattern, keys, type Transport } from "../src/index.ts";
import { compileGlob, sha1 } from "../src/kit.ts";
import { msgpack } from "../src/msgpack.ts";

const richValue = {
  text: "naïve 猫🐈",
  at: new Date(1_700_000_000_000),
  map: new Map([["a", 1n << 60n]]),
  set: new Set([1, "two"]),
  floats: new Float32Array([0.5, -1.25]),
  bytes: new Uint8Array([0, 255, 193]),
  list: [null, true, -0.1, 2 ** 53],
};

describe("keys", () => {
  it("are the same in every runtime", async () => {
    same(keys.query.of("lattice"), "query:4cbe09597b76794b5f6b854c1c1c035ede6d241f250f223b61987dce9d2d7a4b");
    const order = keyPattern("order:{region}:{id}", { ttl: "10m" });
    same(order({ region: "eu:west*", id: "猫" }), "order:eu%3Awest%2A:猫");
    same(["order:eu:7", "order:us:7"].map(compileGlob(order.match({ region: "eu" }))), [true, false]);
    same(sha1("naïve 🐈"), await webSha1("naïve 🐈"));
  });
});

describe("codecs", () => {
  const codecs = [
    {
      name: "json",
      hash: "ab2465f2a66e57f4585a051e198f4679642acc40",
      codec: json(),
      value: { a: [1, "é🐈", null], b: { c: false } },
    },
    { name: "msgpack", hash: "6f517b6fe5d4471672a3656268e194b84c325a9b", codec: msgpack(), value: richValue },
  ];
  for (const { name, codec, value, hash } of codecs) {
    it(`${name} writes the same bytes in every runtime, and reads them`, async () => {
      const encoded = codec.encode(value);
      same(codec.decode(encoded), value);
      same(await webSha1(encoded), hash);
    });
  }
  // Each implementation of deflate writes bytes of its own, and reads those of all others.
  const deflated = [
    {
      name: "compressed(json)",
      codec: compressed(json()),
      value: { text: "lattice ".repeat(500) },
      written: "=wXoAAA+r7cUxCQAgEADAKvIxbCPiIDj+IIjdjeFy053IsTNqrJY5+ygkSZIkSfKfcR8=",
    },
    {
      name: "compressed(msgpack)",
      codec: compressed(msgpack()),
      value: { ...richValue, text: "x".repeat(9_000) },
      written:
        "=wXoAACOd7cqxCcJAGIDRi5GAAziBjaVOoOAITnDCCUJChPvBOIF9sNFKTXQHqxgUUqQXcQsniLF0hnyvfnmwScVE8u71IwAAAAAAAAAAAAAAAKABTlqelZl+VBLoZdF14qN+ucPBv8QaKbxW7CSyCi9zP9Rii07bU0qNlDpk59lajH24qspTf2Fle7uX2XX3sy8n47rVvg==",
    },
  ];
  for (const { name, codec, value, written } of deflated) {
    it(`${name} reads what it has written, and what another runtime has`, async () => {
      same(codec.decode(codec.encode(value)), value);
      same(codec.decode(written), value);
    });
  }
  it("refuse what they would change", async () => {
    let error: unknown;
    try {
      json().encode({ big: 1n });
    } catch (thrown) {
      error = thrown;
    }
    same(isCodecError(error), true);
  });
});

for (const [name, make] of [
  ["memory", () => memoryTransport()],
  ["REST", () => restTransport({ url: site.restUrl, token: site.restToken })],
] as const) {
  describe(`Cache over ${name}`, () => describeCache(make));
}

function describeCache(make: () => Transport): void {
  const withCache = async (prefix: string, work: (cache: Cache) => Promise<void>): Promise<void> => {
    const cache = new Cache({ transport: make(), keyPrefix: `${prefix}:`, codec: [json(), msgpack()] });
    try {
      await work(cache);
    } finally {
      await cache.close();
    }
  };

  it("stores, reads, counts and deletes", () =>
    withCache("basics", async (cache) => {
      same(await cache.set("a", { list: [1, "é"] }, { ttl: "1m" }), true);
      same(await cache.get("a"), { list: [1, "é"] });
      same(await cache.increment("n", 5), 5);
      await cache.setMany({ b: 1, c: 2 });
      same(await cache.getMany(["b", "none", "c"]), [1, undefined, 2]);
      same([await cache.exists("b"), await cache.delete("b"), await cache.exists("b")], [true, 1, false]);
      const ttl = (await cache.ttl("a")) ?? 0;
      same(ttl > 0 && ttl <= 60_000, true);
    }));

  it("answers a pipeline in its order", () =>
    withCache("pipeline", async (cache) => {
      same(await cache.pipeline().set("a", 1).get("a").increment("visits").execute(), [true, 1, 1]);
    }));

  it("runs one loader for all who wait", () =>
    withCache("loader", async (cache) => {
      let runs = 0;
      const load = async () => ++runs;
      same(await Promise.all([1, 2, 3].map(() => cache.getOrSet("k", load))), [1, 1, 1]);
      same(await cache.getOrSet("k", load), 1);
    }));

  it("deletes by pattern, and nothing else", () =>
    withCache("patterns", async (cache) => {
      await cache.setMany({ "query:1": 1, "query:2": 2, "other:1": 3 });
      same(await cache.deletePattern("query:*"), 2);
      same(await cache.getMany(["query:1", "other:1"]), [undefined, 3]);
    }));

  it("forgets what has expired", () =>
    withCache("expiry", async (cache) => {
      await cache.set("brief", 1, { ttl: "20ms" });
      await until("it is gone", async () => (await cache.get("brief")) === undefined);
    }));

  it("reads what another codec wrote", async () => {
    const transport = make();
    const writer = new Cache({ transport, keyPrefix: "rich:", codec: [msgpack(), json()] });
    const reader = new Cache({ transport, keyPrefix: "rich:", codec: [json(), msgpack()] });
    await writer.set("value", richValue);
    same(await reader.get("value"), richValue);
    await transport.close();
  });
}

describe("Cache while the server hangs", () => {
  it("rejects by the deadline", async () => {
    const cache = new Cache({ transport: restTransport({ url: site.restUrl, token: site.restToken }) });
    await cache.get("a");
    await control("pause");
    const error = await cache.get("a", { timeout: "100ms" }).catch((rejected: unknown) => rejected);
    await control("resume");
    same(isTransportError(error) && error.kind, "timeout");
    await cache.close();
  });
});

async function webSha1(text: string | Uint8Array): Promise<string> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : new Uint8Array(text);
  const digest = await crypto.subtle.digest("SHA-1", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
