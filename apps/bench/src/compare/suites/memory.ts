import { checkValue } from "../check-value.ts";
import { cpu, perSecond } from "../columns.ts";
import { ttlSeconds, value } from "../key-value.ts";
import { inFlight } from "../measures.ts";
import type { Contender, Suite } from "../suite.ts";

const get = "get";
const getOrSet = "getOrSet, hit";
const keyCount = 1_000;

/** Each key has a value of its own, as in life. */
const valueFor = (key: string): object => ({ ...value, key });

/** A cache in the memory of this process. */
interface MemoryCache {
  set(key: string, value: unknown): unknown;
  get?(key: string): Promise<unknown>;
  getOrSet?(key: string): Promise<unknown>;
  close?(): unknown;
}

const contender = (name: string, kind: string, make: () => Promise<MemoryCache>): Contender => ({
  name,
  kind,
  async open() {
    const cache = await make();
    const keys = Array.from({ length: keyCount }, (_, nth) => `key:${nth}`);
    await Promise.all(keys.map((key) => cache.set(key, valueFor(key))));
    for (const read of [cache.get, cache.getOrSet]) if (read) checkValue(name, valueFor("key:0"), await read("key:0"));
    const keyOf = (nth: number): string => keys[nth % keyCount] as string;
    const counting = { clockEvery: 16 };
    return {
      measures: {
        ...(cache.get && { [get]: inFlight(1, (nth) => cache.get?.(keyOf(nth)), counting) }),
        ...(cache.getOrSet && { [getOrSet]: inFlight(1, (nth) => cache.getOrSet?.(keyOf(nth)), counting) }),
      },
      close: () => cache.close?.(),
    };
  },
});

const load = async (): Promise<object> => value;

const ours = (cache: {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  getOrSet(key: string, load: () => Promise<object>): Promise<unknown>;
  close(): Promise<unknown>;
}): MemoryCache => ({
  get: (key) => cache.get(key),
  set: (key, each) => cache.set(key, each),
  getOrSet: (key) => cache.getOrSet(key, load),
  close: () => cache.close(),
});

/** What stays in the process. */
export const memory: Suite = {
  name: "memory",
  title: "Memory",
  about:
    "Values of 1 KB of JSON under 1,000 keys, one call after the other. Ours, bentocache and the Map of " +
    "JSON return a copy; cache-manager, async-cache-dedupe and the Map return the object itself, so that " +
    "who changes it changes the cache.",
  servers: "none",
  value: perSecond,
  columns: [cpu],
  scenarios: [get, getOrSet],
  contenders: [
    contender("UpstashCache, local", "ours", async () => {
      const { UpstashCache } = await import("continuum-cache");
      return ours(new UpstashCache({ mode: "local" }));
    }),
    contender("Cache on memoryTransport", "ours", async () => {
      const { Cache } = await import("@continuum-cache/core");
      const { memoryTransport } = await import("@continuum-cache/transport-memory");
      return ours(new Cache({ transport: memoryTransport() }));
    }),
    contender("bentocache", "bentocache", async () => {
      const { BentoCache, bentostore } = await import("bentocache");
      const { memoryDriver } = await import("bentocache/drivers/memory");
      const store = bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 }));
      const bento = new BentoCache({ default: "memory", stores: { memory: store } });
      return {
        get: (key) => bento.get({ key }),
        set: (key, each) => bento.set({ key, value: each, ttl: ttlSeconds * 1_000 }),
        getOrSet: (key) => bento.getOrSet({ key, factory: load, ttl: ttlSeconds * 1_000 }),
        close: () => bento.disconnectAll(),
      };
    }),
    contender("cache-manager", "the best without a copy", async () => {
      const { createCache } = await import("cache-manager");
      const cache = createCache({ ttl: ttlSeconds * 1_000 });
      return {
        get: (key) => cache.get(key),
        set: (key, each) => cache.set(key, each),
        getOrSet: (key) => cache.wrap(key, load),
      };
    }),
    contender("async-cache-dedupe", "the best without a copy", async () => {
      const { createCache } = await import("async-cache-dedupe");
      const cache = createCache({ ttl: ttlSeconds, storage: { type: "memory" } }).define("load", async (key: string) =>
        valueFor(key),
      );
      return { set: (key) => cache.load(key), getOrSet: (key) => cache.load(key) };
    }),
    contender("Map of JSON", "a Map of JSON", async () => {
      const map = new Map<string, string>();
      const read = async (key: string): Promise<unknown> => JSON.parse(map.get(key) ?? "null");
      return { set: (key, each) => map.set(key, JSON.stringify(each)), get: read, getOrSet: read };
    }),
    contender("Map", "a Map", async () => {
      const map = new Map<string, unknown>();
      const read = async (key: string): Promise<unknown> => map.get(key);
      return { set: (key, each) => map.set(key, each), get: read, getOrSet: read };
    }),
  ],
};
