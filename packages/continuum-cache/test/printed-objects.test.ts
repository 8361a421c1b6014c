import { format, inspect } from "node:util";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, guarded } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { FederationQueue, federate, relay, SyncLog } from "@continuum-cache/federation-queue";
import { PubSub } from "@continuum-cache/pubsub";
import { RateLimiter } from "@continuum-cache/ratelimit";
import { type RestTransport, restTransport } from "@continuum-cache/transport-rest";
import { type TcpTransport, tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const password = "canary-password-8d2e";
const token = "canary-token-8d2e";
const readOnlyToken = "canary-readonly-8d2e";
const secrets = [password, token, readOnlyToken];

const objects = new Map<string, unknown>();
const closings: (() => unknown)[] = [];
const keep = <T>(name: string, object: T, close?: (object: T) => unknown): T => {
  objects.set(name, object);
  if (close) closings.unshift(() => close(object));
  return object;
};
const closed = (object: { close(): Promise<unknown> }): Promise<unknown> => object.close();

const listener = { message() {}, interrupted() {} };

/** Whatever stands on a transport. */
async function keepAllOn(name: string, make: () => TcpTransport | RestTransport): Promise<void> {
  const transport = keep(`${name}: transport`, make(), closed);
  keep(`${name}: subscription of the transport`, await transport.subscribe({ channels: ["c"] }, listener));
  const cache = keep(`${name}: cache`, new Cache({ transport, keyPrefix: `${name}:` }));
  await cache.set("a", 1);
  keep(`${name}: view`, cache.with({ timeout: "1s" }));
  keep(`${name}: pipeline`, cache.pipeline().set("a", 1));
  keep(`${name}: guarded`, guarded(make()), closed);
  await keep(`${name}: with a fallback`, withFallback(guarded(make()), memoryTransport()), closed).send([["PING"]]);
  keep(`${name}: limiter`, new RateLimiter(cache));
  const pubsub = keep(`${name}: pubsub`, new PubSub(cache), closed);
  keep(`${name}: subscription`, await pubsub.subscribe("news"));
  const queue = keep(`${name}: queue`, new FederationQueue(cache), closed);
  await queue.push({ work: 1 });
  keep(
    `${name}: worker`,
    queue.consume(async () => {}),
    (worker) => worker.stop(),
  );
  const log = keep(`${name}: log`, new SyncLog(cache, { instanceId: "one", key: `log-of-${name}` }), closed);
  await log.append({ event: 1 });
  keep(`${name}: federation`, federate(cache, log, { scope: "*" }), (federated) => federated.federation.close());
  keep(`${name}: relay`, relay(cache, { transport: memoryTransport() }, { key: `log-of-${name}` }), closed);
  keep(`${name}: figures`, [await cache.info(), cache.stats(), await queue.stats()]);
}

beforeAll(async () => {
  const redis = await startRedisServer({ password });
  closings.push(() => redis.close());
  const server = keep(
    "upstash-local",
    await startUpstashLocal({ port: 0, token, readOnlyToken, redisUrl: redis.url }),
    closed,
  );
  const { url } = redis;
  const ours = keep("tcp", tcpTransport({ url }), closed);
  keep("the client of a transport", ours.client);

  await keepAllOn("tcp", () => tcpTransport({ url }));
  await keepAllOn("rest", () => restTransport({ url: server.url, token }));
  const callers = ours.client.duplicate();
  closings.unshift(() => callers.disconnect());
  await keepAllOn("a caller's client", () => tcpTransport({ client: callers }));

  for (const [name, options] of Object.entries({
    redis: { mode: "redis", url },
    rest: { mode: "rest", restUrl: server.url, restToken: token },
  } as const)) {
    for (const fallback of [true, false]) {
      const cache = keep(
        `UpstashCache, ${name} ${fallback}`,
        new UpstashCache({ ...options, fallback, env: {} }),
        closed,
      );
      await cache.set("a", 1);
      keep(`its pubsub, ${name} ${fallback}`, cache.pubsub(), closed);
    }
  }

  const wrong = {
    tcp: tcpTransport({ url: `redis://:${token}@127.0.0.1:${redis.port}` }),
    rest: restTransport({ url: server.url, token: password }),
  };
  for (const [name, transport] of Object.entries(wrong)) {
    keep(`${name}: with a wrong login`, transport, closed);
    keep(`${name}: why commands fail`, await transport.send([["PING"]]).catch((error: unknown) => error));
    const subscribing = transport.subscribe({ channels: ["c"] }, listener);
    keep(`${name}: why listening fails`, await subscribing.catch((error: unknown) => error));
  }
});
afterAll(async () => {
  for (const close of closings) await close();
});

const everything = { depth: Number.POSITIVE_INFINITY, maxArrayLength: null, maxStringLength: null };
const ways: Readonly<Record<string, (object: unknown) => string>> = {
  "console.log": (object) => inspect(object),
  "inspect, as deep as it goes": (object) => inspect(object, everything),
  "inspect, hidden properties and getters too": (object) =>
    inspect(object, { ...everything, showHidden: true, showProxy: true, getters: true }),
  "inspect, past customizations": (object) => inspect(object, { ...everything, customInspect: false }),
  "console.log with %o, %O and %j": (object) => format("%o %O %j", object, object, object),
  "JSON.stringify": (object) => JSON.stringify(object),
  "a copy of all enumerable properties": (object) => walk(object),
  "the error of structuredClone": (object) => {
    try {
      return inspect(structuredClone(object), everything);
    } catch (error) {
      return String(error);
    }
  },
};

/** What a logger or a test runner finds that walks through objects by itself. */
function walk(root: unknown): string {
  const seen = new Set<unknown>();
  const texts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === "string") texts.push(value);
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Map) for (const entry of value) visit(entry);
    if (value instanceof Set) for (const entry of value) visit(entry);
    if (value instanceof Error) visit([value.message, value.stack, value.cause]);
    for (const key of Reflect.ownKeys(value)) {
      if (Object.getOwnPropertyDescriptor(value, key)?.enumerable) visit(Reflect.get(value, key));
    }
  };
  visit(root);
  return texts.join("\n");
}

describe("no object shows a password or a token", () => {
  it.each(Object.keys(ways))("to %s", (name) => {
    const leaks = [...objects].flatMap(([owner, object]) => {
      const text = ways[name]?.(object) ?? "";
      return secrets.filter((secret) => text.includes(secret)).map((secret) => `${owner}: ${secret}`);
    });
    expect(leaks).toEqual([]);
    expect(objects.size).toBeGreaterThan(50);
  });

  it("but gives it to who asks for it by name", () => {
    const server = objects.get("upstash-local") as { token: string; readOnlyToken: string };
    expect([server.token, server.readOnlyToken]).toEqual([token, readOnlyToken]);
  });
});
