import type { PubSub } from "@continuum-cache/pubsub";
import { commands, cpu, perSecond } from "../columns.ts";
import { inFlight } from "../measures.ts";
import { timeout } from "../patience.ts";
import { connectMiniResp } from "../references/mini-resp.ts";
import type { Contender, Opened, Site, Suite } from "../suite.ts";

interface Note {
  readonly id: number;
  readonly text: string;
}

const many = "message of 200 B, 64 in flight";
const one = "message of 200 B, 1 in flight";
const text = "x".repeat(175);

/** What publishes, given what its subscriber hears with. */
interface Line {
  publish(note: Note): Promise<unknown>;
  close(): unknown;
}

/** An operation is over when the message has been published and heard. */
async function opened(connect: (hear: (note: Note) => void) => Promise<Line>): Promise<Opened> {
  const heard = new Map<number, () => void>();
  const { publish, close } = await connect(({ id }) => {
    heard.get(id)?.();
    heard.delete(id);
  });
  const pass = async (id: number): Promise<void> => {
    const arrived = new Promise<void>((resolve) => heard.set(id, resolve));
    await publish({ id, text });
    await arrived;
  };
  let next = 0;
  return { measures: { [many]: inFlight(64, () => pass(next++)), [one]: inFlight(1, () => pass(next++)) }, close };
}

const channelOf = (name: string): string => `bench:${name.replace(/\W+/g, "-")}`;

async function ourLine(
  name: string,
  pubsub: PubSub,
  replay: boolean,
  close: () => unknown,
  hear: (note: Note) => void,
): Promise<Line> {
  const channel = channelOf(name);
  const options = replay ? { replay: true } : {};
  await pubsub.subscribe(channel, { ...options, onMessage: ({ data }) => hear(data as Note) });
  return {
    publish: (note) => pubsub.publish(channel, note, options),
    async close() {
      await pubsub.close();
      await close();
    },
  };
}

const onUpstashCache = (name: string, replay: boolean): Contender => ({
  name,
  kind: "ours",
  open: ({ redisUrl }) =>
    opened(async (hear) => {
      const { UpstashCache } = await import("continuum-cache");
      const cache = new UpstashCache({ url: redisUrl, timeout });
      return ourLine(name, cache.pubsub({ timeout }), replay, () => cache.close(), hear);
    }),
});

/** A client with a second connection that listens. */
const other = (
  name: string,
  kind: string,
  connect: (
    site: Site,
    channel: string,
    hear: (text: string) => void,
  ) => Promise<{
    publish(text: string): Promise<unknown>;
    close(): unknown;
  }>,
): Contender => ({
  name,
  kind,
  open: (site) =>
    opened(async (hear) => {
      const { publish, close } = await connect(site, channelOf(name), (text) => hear(JSON.parse(text)));
      return { publish: (note) => publish(JSON.stringify(note)), close };
    }),
});

/** The part of ioredis that its versions share. */
interface Ioredis {
  publish(channel: string, text: string): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  on(event: "message", hear: (channel: string, text: string) => void): unknown;
  disconnect(): void;
}

const ioredis = (name: string, kind: string, make: (url: string) => Promise<Ioredis>): Contender =>
  other(name, kind, async ({ redisUrl }, channel, hear) => {
    const [publisher, subscriber] = [await make(redisUrl), await make(redisUrl)];
    subscriber.on("message", (_, text) => hear(text));
    await subscriber.subscribe(channel);
    return {
      publish: (text) => publisher.publish(channel, text),
      close() {
        publisher.disconnect();
        subscriber.disconnect();
      },
    };
  });

/** Messages from one publisher to one subscriber. */
export const pubsub: Suite = {
  name: "pubsub",
  title: "Messages",
  about:
    "Messages of 200 bytes of JSON, published and heard in one process over the Redis protocol; with " +
    "replay each is kept in a history as well.",
  servers: "redis",
  value: perSecond,
  columns: [cpu, commands],
  scenarios: [many, one],
  contenders: [
    onUpstashCache("cache.pubsub({ timeout })", false),
    onUpstashCache("cache.pubsub({ timeout }), replay", true),
    {
      name: "PubSub on tcpTransport",
      kind: "ours",
      open: ({ redisUrl }) =>
        opened(async (hear) => {
          const { PubSub } = await import("@continuum-cache/pubsub");
          const { tcpTransport } = await import("@continuum-cache/transport-tcp");
          const transport = tcpTransport({ url: redisUrl, timeout });
          return ourLine(
            "PubSub on tcpTransport",
            new PubSub({ transport }, { timeout }),
            false,
            () => transport.close(),
            hear,
          );
        }),
    },
    ioredis("ioredis 5", "ioredis 5", async (url) => new (await import("ioredis-5")).Redis(url)),
    ioredis("ioredis 6", "the best other client", async (url) => new (await import("ioredis")).Redis(url)),
    other("node-redis", "the best other client", async ({ redisUrl }, channel, hear) => {
      const { createClient } = await import("redis");
      const publisher = await createClient({ url: redisUrl }).connect();
      const subscriber = await createClient({ url: redisUrl }).connect();
      await subscriber.subscribe(channel, hear);
      return {
        publish: (text) => publisher.publish(channel, text),
        close() {
          publisher.destroy();
          subscriber.destroy();
        },
      };
    }),
    other("minimal RESP client", "the minimal RESP client", async ({ redisUrl }, channel, hear) => {
      const publisher = connectMiniResp(redisUrl);
      const subscriber = connectMiniResp(redisUrl, (push) => hear((push as readonly string[])[2] as string));
      await subscriber.command("SUBSCRIBE", channel);
      return {
        publish: (text) => publisher.command("PUBLISH", channel, text),
        close() {
          publisher.close();
          subscriber.close();
        },
      };
    }),
  ],
};
