import { once } from "node:events";
import { createServer } from "node:net";
import { connectRaw, type RawReply, type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import type { UpstashLocal } from "@continuum-cache/upstash-local";
import { startGateway, type Way } from "../site/address.ts";
import { startFailoverPair } from "../site/failover-pair.ts";
import { type Call, type Effect, nowUs, observer } from "./history.ts";
import { type KeySpace, keySpaceOf } from "./program.ts";

/** Ways in which the server of the REST API can be made to misbehave. */
export const gatewayFaults = [
  "refuse",
  "hang",
  "unauthorized",
  "quota",
  "error-500",
  "html",
  "truncate",
  "lost-reply",
] as const;

/** A real Redis and the server of the REST API in front of it, for one round of histories at a time. */
export interface Site {
  /** The primary at present. */
  readonly redis: RedisServer;
  readonly gateway: UpstashLocal | undefined;
  portOf(way: Way): number;
  /** Makes another server the primary. Absent where there is only one. */
  failOver?(): Promise<void>;
  /** What stands under a history's keys, read from the Redis itself. */
  read(prefix: string, manyKeys: boolean): Promise<Call>;
  /** Puts keys of others beside a history's own, which no client ever names. @returns what stands there. */
  plant(prefix: string): Promise<ReadonlyMap<string, string>>;
  /** What stands there now. */
  readPlanted(prefix: string): Promise<ReadonlyMap<string, string | null>>;
  /**
   * Deletes every key in whose name one of these stands, marks that clients have left among them: a walk over all keys
   * must not take longer the longer a run lasts.
   */
  clear(prefixes: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * What a site's servers are: one that keeps its data when killed, one that forgets, or two with failovers between
 * them.
 */
export type SiteKind = "durable" | "forgetful" | "failover";

/** Sites, started when something is to run there first. */
export interface Sites {
  of(kind: SiteKind): Promise<Site>;
  close(): Promise<void>;
}

export function createSites(): Sites {
  const sites = new Map<SiteKind, Promise<Site>>();
  return {
    of(kind) {
      const site = sites.get(kind) ?? (kind === "failover" ? startPairSite() : startSite(kind === "durable"));
      sites.set(kind, site);
      return site;
    },
    async close() {
      // A site that could not be started has rejected where it was wanted.
      const started = await Promise.allSettled(sites.values());
      await Promise.all(started.map((site) => (site.status === "fulfilled" ? site.value.close() : undefined)));
    },
  };
}

async function startSite(durable: boolean): Promise<Site> {
  // A short log lets a killed server come back soon, however long the run.
  const args = ["auto-aof-rewrite-min-size 1mb"];
  const redis = await startRedisServer({ port: await lastingPort(), appendonly: durable, args });
  const gateway = await startGateway("rest", redis.url);
  return {
    ...siteOn(() => redis),
    gateway,
    portOf: (way) => (way === "rest" && gateway ? gateway.port : redis.port),
    async close() {
      await gateway?.close();
      await redis.close();
    },
  };
}

/** Reached by the Redis protocol alone. */
async function startPairSite(): Promise<Site> {
  const pair = await startFailoverPair(lastingPort);
  return {
    ...siteOn(() => pair.primary),
    get redis() {
      return pair.primary;
    },
    gateway: undefined,
    portOf: () => pair.primary.port,
    failOver: pair.failOver,
    close: pair.close,
  };
}

/** What is the same on every site. */
function siteOn(primary: () => RedisServer): Omit<Site, "gateway" | "portOf" | "failOver" | "close"> {
  return {
    get redis() {
      return primary();
    },
    async read(prefix, manyKeys) {
      const startUs = nowUs();
      const effects = await readAll(primary(), keySpaceOf(prefix, manyKeys));
      return { ...directRead, effects, startUs, endUs: nowUs() };
    },
    async plant(prefix) {
      const redis = primary();
      for (const key of textsBeside(prefix)) await redis.command("SET", key, `of others: ${key}`);
      for (const item of ["first", "second"]) await redis.command("RPUSH", listBeside(prefix), item);
      const planted = await readBeside(redis, prefix);
      return new Map([...planted].map(([key, value]) => [key, value ?? ""]));
    },
    readPlanted: (prefix) => readBeside(primary(), prefix),
    async clear(prefixes) {
      const redis = primary();
      const left = (await keysOf(redis)).filter((key) => prefixes.some((prefix) => key.includes(prefix)));
      if (left.length > 0) await redis.command("UNLINK", ...left);
    },
  };
}

async function keysOf(redis: RedisServer): Promise<string[]> {
  const keys: string[] = [];
  let cursor = "0";
  do {
    const [next, page] = (await redis.command("SCAN", cursor, "COUNT", 1_000)) as [string, string[]];
    keys.push(...page);
    cursor = next;
  } while (cursor !== "0");
  return keys;
}

const directRead = {
  client: observer,
  index: 0,
  operation: "read",
  outcome: "ok",
  insists: true,
  backends: ["upstash", "upstash"],
  wavered: false,
  pending: 0,
  allowedMs: 60_000,
  stalledMs: 0,
} as const;

/** Keys that begin like a history's own, or hold their names, and match none of its patterns. */
const textsBeside = (prefix: string): string[] => [
  `${prefix}a`,
  `${prefix}of-others:0`,
  `${prefix}count:of-others`,
  `of-others:${prefix}a:0`,
];
const listBeside = (prefix: string): string => `${prefix}list:of-others`;

async function readBeside(redis: RedisServer, prefix: string): Promise<Map<string, string | null>> {
  const texts = textsBeside(prefix);
  const values = (await redis.command("MGET", ...texts)) as readonly (string | null)[];
  const found = new Map(texts.map((key, at) => [key, values[at] ?? null]));
  const items = (await redis.command("LRANGE", listBeside(prefix), 0, -1)) as readonly RawReply[];
  return found.set(listBeside(prefix), items.length > 0 ? JSON.stringify(items) : null);
}

async function readAll({ host, port }: RedisServer, { families, counters, lists }: KeySpace): Promise<Effect[]> {
  const strings = families.flatMap(({ keys }) => keys);
  const client = await connectRaw({ host, port });
  try {
    const values = (await client.command("MGET", ...strings, ...counters)) as readonly RawReply[];
    const effects: Effect[] = [
      ...strings.map((key, at): Effect => ({ kind: "read", key, value: textOf(values[at]) })),
      ...counters.map((key, at): Effect => ({ kind: "count", key, value: Number(values[strings.length + at] ?? 0) })),
    ];
    for (const key of lists) {
      const items = (await client.command("LRANGE", key, 0, -1)) as readonly RawReply[];
      effects.push({ kind: "list", key, values: items.map((item) => String(textOf(item))) });
    }
    return effects;
  } finally {
    client.end();
  }
}

/** Values are texts, stored as JSON. */
const textOf = (stored: RawReply | undefined): string | null =>
  typeof stored === "string" ? String(JSON.parse(stored)) : null;

/**
 * A port that no other process is given by chance while the server that had it is down: below those that systems hand
 * out by themselves.
 */
async function lastingPort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
