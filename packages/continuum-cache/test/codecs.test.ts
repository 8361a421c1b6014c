import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, type Codec, json, type Transport } from "@continuum-cache/core";
import { compressed } from "@continuum-cache/core/compressed";
import { combineCodecs } from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let redis: RedisServer;
let gateway: UpstashLocal;
let transports: Record<string, Transport>;

beforeAll(async () => {
  redis = await startRedisServer();
  gateway = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
  transports = {
    REST: restTransport({ url: gateway.url, token: "local" }),
    TCP: tcpTransport({ url: redis.url }),
  };
});
afterAll(async () => {
  await Promise.all(Object.values(transports).map((transport) => transport.close()));
  await gateway.close();
  await redis.close();
});

const writers: readonly Codec[] = [json(), msgpack(), compressed(json()), compressed(msgpack())];
const everything = [json(), compressed(combineCodecs([json(), msgpack()]))];
const plain = { text: "lattice ".repeat(500), list: [1, 2.5, null, "123"], nested: { yes: true } };
const rich = { at: new Date(0), tags: new Map([["a", new Set([1n])]]), vector: Float32Array.of(0.5, -1) };

const combinations = ["REST", "TCP"].flatMap((writing) =>
  ["REST", "TCP"].flatMap((reading) => writers.map((codec) => ({ writing, reading, codec, name: codec.name }))),
);

describe.each(combinations)("written as $name over $writing, read over $reading", ({ writing, reading, codec }) => {
  const caches = () => ({
    writer: new Cache({ transport: transports[writing] as Transport, codec }),
    reader: new Cache({ transport: transports[reading] as Transport, codec: everything }),
  });

  it.each([...(codec.name.includes("msgpack") ? [rich] : []), plain, "text", 42, null, "é😀"])(
    "comes back: alone, in a tick, in a pipeline, in a transaction, in a list",
    async (value) => {
      const { writer, reader } = caches();
      await writer.set("alone", value);
      await Promise.all([writer.set("tick:1", value), writer.set("tick:2", value)]);
      await writer.pipeline().set("pipeline", value).expire("pipeline", 60).execute();
      await writer.transaction().set("transaction", value).expire("transaction", 60).execute();
      const keys = ["alone", "tick:1", "tick:2", "pipeline", "transaction"];
      expect(await reader.getMany(keys)).toEqual(keys.map(() => value));
      await writer.delete("list");
      await writer.rpush("list", value, value);
      await writer.rpush("list", value);
      expect(await reader.lrange("list", 0, -1)).toEqual([value, value, value]);
      expect(await reader.pipeline().get("alone").execute()).toEqual([value]);
    },
  );
});

describe("a single write", () => {
  it("of MessagePack is stored as the same true bytes over REST as over TCP", async () => {
    const stored = async (name: string) => {
      await new Cache({ transport: transports[name] as Transport, codec: msgpack() }).set("bytes", rich);
      return redis.command("GET", "bytes");
    };
    const length = async () => Number(await redis.command("STRLEN", "bytes"));
    await stored("TCP");
    const overTcp = await length();
    await stored("REST");
    expect(await length()).toBe(overTcp);
    const [bytes] = (await transports["TCP"]?.send([["GET", "bytes"]])) ?? [];
    expect(bytes).toEqual(msgpack().encode(rich));
  });
});

describe("a codec can be changed on a live database", () => {
  it("without a flush: UpstashCache reads whatever any of them wrote", async () => {
    const env = { UPSTASH_REDIS_URL: redis.url };
    const [asJson, asMsgpack] = [new UpstashCache({ env }), new UpstashCache({ env, codec: "msgpack" })];
    await asMsgpack.set("k", rich);
    expect(await asJson.get("k")).toEqual(rich);
    await asJson.set("k", plain);
    expect(await asMsgpack.get("k")).toEqual(plain);
    expect(await asMsgpack.set("n", 41)).toBe(true);
    expect(await asJson.increment("n")).toBe(42);
    await asJson.close();
    await asMsgpack.close();
  });
});
