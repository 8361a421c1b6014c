import { Redis as UpstashRedis } from "@upstash/redis";
import { Redis } from "ioredis";
import { createClient } from "redis";
import type { Address } from "../../site/address.ts";
import type { Contender, Listener, SubscriptionOptions } from "./contender.ts";

/** The other clients as their documentation shows them: none tells of what it missed, so no gap is ever told. */

const parse = (text: string): unknown => JSON.parse(text);

export function openIoredis({ url }: Address): Contender {
  const publisher = new Redis(url);
  const clients: Redis[] = [publisher];
  for (const client of clients) client.on("error", () => {});
  return {
    async publish(channel, data) {
      await publisher.publish(channel, JSON.stringify(data));
      return {};
    },
    async listen({ kind, name }, listener) {
      const client = new Redis(url);
      clients.push(client);
      client.on("error", () => {});
      client.on("message", (channel, text) => listener.message({ channel, data: parse(text) }));
      client.on("pmessage", (_, channel, text) => listener.message({ channel, data: parse(text) }));
      await (kind === "channel" ? client.subscribe(name) : client.psubscribe(name));
      return { close: async () => client.disconnect() };
    },
    async close() {
      for (const client of clients) client.disconnect();
    },
  };
}

export function openNodeRedis({ url }: Address): Contender {
  const make = () => createClient({ url }).on("error", () => {});
  const publisher = make();
  const clients = [publisher];
  let connected: Promise<unknown> | undefined;
  return {
    async publish(channel, data) {
      connected ??= publisher.connect();
      await connected;
      await publisher.publish(channel, JSON.stringify(data));
      return {};
    },
    async listen({ kind, name }, listener) {
      const client = make();
      clients.push(client);
      await client.connect();
      const hear = (text: string, channel: string): void => listener.message({ channel, data: parse(text) });
      await (kind === "channel" ? client.subscribe(name, hear) : client.pSubscribe(name, hear));
      return { close: async () => client.destroy() };
    },
    async close() {
      for (const client of clients) if (client.isOpen) client.destroy();
    },
  };
}

export function openUpstash({ rest }: Address): Contender {
  if (!rest) throw new TypeError("Expected the address of a REST API, got none");
  const redis = new UpstashRedis({ ...rest, enableTelemetry: false });
  return {
    async publish(channel, data) {
      await redis.publish(channel, data);
      return {};
    },
    async listen(options, listener) {
      const subscriber = options.kind === "channel" ? redis.subscribe(options.name) : redis.psubscribe(options.name);
      const confirmed = new Promise<void>((resolve, reject) => {
        subscriber.on(options.kind === "channel" ? "subscribe" : "psubscribe", () => resolve());
        subscriber.on("error", reject);
      });
      listenTo(subscriber, options, listener);
      await confirmed;
      return { close: () => subscriber.unsubscribe() };
    },
    async close() {},
  };
}

function listenTo(
  subscriber: ReturnType<UpstashRedis["subscribe"]>,
  { kind }: SubscriptionOptions,
  listener: Listener,
): void {
  subscriber.on(kind === "channel" ? "message" : "pmessage", (heard) => {
    const { channel, message } = heard as { channel: string; message: unknown };
    listener.message({ channel, data: message });
  });
}
