import { closing, type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Message, Subscription, Topics, Transport, TransportError } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { type Fault, startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

const opened = closing(afterEach);
let redis: RedisServer;
let rest: UpstashLocal;
beforeAll(async () => {
  redis = await startRedisServer();
  rest = await startUpstashLocal({ port: 0, redisUrl: redis.url });
});
afterAll(async () => {
  await rest.close();
  await redis.close();
});

function start(primary: Transport) {
  const transport = opened(withFallback(primary, memoryTransport(), { healthCheckInterval: "50ms" }));
  const heard: string[] = [];
  const interruptions: string[] = [];
  const listener = {
    message: ({ data, degraded }: Message) => void heard.push(`${data}${degraded ? " (degraded)" : ""}`),
    interrupted: ({ kind }: TransportError) => void interruptions.push(kind),
  };
  return {
    transport,
    heard,
    interruptions,
    subscribe: (topics: Topics): Promise<Subscription> =>
      (transport as Required<Transport>).subscribe(topics, listener),
    /** @param timeoutMs - Short where the server gives no answer. */
    publish: (data: string, timeoutMs = 60_000) => transport.send([["PUBLISH", "news", data]], { timeoutMs }),
    until: (backend: "local" | "upstash") =>
      expect.poll(() => transport.status?.currentBackend, { timeout: 60_000 }).toBe(backend),
  };
}

const overRest = () => start(restTransport({ url: rest.url, token: rest.token }));
const overTcp = () => start(tcpTransport({ url: redis.url }));

describe("a stream over REST that lives on while commands fail", () => {
  afterEach(() => rest.fault(undefined));

  it.each<Fault>(["unauthorized", "quota", "daily-limit", "error-500", "html", "hang"])(
    "hears what this process publishes meanwhile, and the server again afterwards: %j",
    async (fault) => {
      const { heard, interruptions, subscribe, publish, until } = overRest();
      const subscription = await subscribe({ channels: ["news"] });
      await publish("1");
      await expect.poll(() => heard).toEqual(["1"]);
      rest.fault(fault);
      await publish("2", fault === "hang" ? 500 : undefined);
      await publish("3");
      await redis.command("PUBLISH", "news", "of others");
      await expect.poll(() => heard).toEqual(["1", "2 (degraded)", "3 (degraded)", "of others"]);
      rest.fault(undefined);
      await until("upstash");
      await publish("4");
      await expect.poll(() => heard.at(-1)).toBe("4");
      expect(heard).toHaveLength(5);
      expect(interruptions).toEqual([]);
      expect(subscription.add).toBeUndefined();
    },
  );

  it.each<Fault>(["lost-reply", "truncate"])("hears once what the server had done already: %j", async (fault) => {
    const { heard, subscribe, publish, until } = overRest();
    await subscribe({ channels: ["news"], patterns: ["n*"] });
    rest.fault(fault);
    await publish("1");
    rest.fault(undefined);
    await until("upstash");
    await publish("2");
    await expect.poll(() => heard.filter((data) => data === "2")).toHaveLength(2);
    expect(heard.map((data) => data.slice(0, 1))).toEqual(["1", "1", "2", "2"]);
  });
});

describe("a stream over the Redis protocol", () => {
  it("is replaced by a local one when its server is killed, until the server is back", async () => {
    const { heard, interruptions, subscribe, publish, until } = overTcp();
    await subscribe({ channels: ["news"] });
    await publish("1");
    await expect.poll(() => heard).toEqual(["1"]);
    await redis.kill();
    await expect.poll(() => interruptions).toEqual(["unreachable"]);
    const between = await subscribe({ channels: ["other"] });
    expect(between.degraded).toBe(true);
    await between.add?.({ channels: ["news"] });
    await publish("2");
    await redis.restart();
    await until("upstash");
    await expect.poll(() => interruptions).toEqual(["unreachable", "unreachable"]);
    const after = await subscribe({ channels: ["news"] });
    await publish("3");
    await expect.poll(() => heard).toEqual(["1", "2 (degraded)", "3"]);
    expect(after.degraded).toBeUndefined();
  });

  it("of a frozen server delivers a message once that was published while the server did not answer", async () => {
    const { heard, interruptions, subscribe, publish, until } = overTcp();
    await subscribe({ channels: ["news"] });
    redis.freeze();
    await publish("1", 500);
    await publish("2");
    redis.thaw();
    await until("upstash");
    await publish("3");
    await expect.poll(() => heard.includes("3")).toBe(true);
    expect(heard).toEqual(["1 (degraded)", "2 (degraded)", "3"]);
    expect(interruptions).toEqual([]);
  });
});
