import { commands, cpu, perSecond } from "../columns.ts";
import { prepared } from "../measures.ts";
import { timeout } from "../patience.ts";
import type { Measure, Opened, Suite } from "../suite.ts";

const thousandth = "the 1,000th channel";
const tenThousandth = "the 10,000th channel";

/** One connection that listens. `subscribe` resolves with what ends the subscription. */
interface Listener {
  subscribe(channel: string): Promise<() => Promise<unknown>>;
}

/** Listens to all channels but one, then begins and ends to listen to one more. */
function oneMore({ subscribe }: Listener, others: number): Measure {
  const times = 20;
  let ready: Promise<unknown> | undefined;
  return prepared(async () => {
    ready ??= Promise.all(Array.from({ length: others }, (_, nth) => subscribe(`bench:${nth}`)));
    await ready;
    return {
      async run() {
        for (let left = times; left > 0; left--) await (await subscribe("bench:one-more"))();
        return times;
      },
    };
  });
}

/** @param listener - Makes a new one, since each scenario has its own number of channels. */
const measuresOf = (listener: () => Listener, scale: number): Opened["measures"] => ({
  [thousandth]: oneMore(listener(), Math.ceil(999 * scale)),
  [tenThousandth]: oneMore(listener(), Math.ceil(9_999 * scale)),
});

/** How the time of a subscription depends on how many there are. */
export const subscribe: Suite = {
  name: "subscribe",
  title: "Subscribing to one more channel",
  about: "A subscription that begins and ends, on a connection that listens to 999 or 9,999 other channels.",
  servers: "redis",
  value: perSecond,
  columns: [cpu, commands],
  scenarios: [thousandth, tenThousandth],
  contenders: [
    {
      name: "cache.pubsub()",
      kind: "ours",
      async open({ redisUrl, scale }) {
        const { UpstashCache } = await import("continuum-cache");
        const caches: { close(): Promise<unknown> }[] = [];
        const listener = (): Listener => {
          const cache = new UpstashCache({ url: redisUrl, timeout });
          caches.push(cache);
          const pubsub = cache.pubsub({ timeout });
          return {
            async subscribe(channel) {
              const subscription = await pubsub.subscribe(channel, { onMessage() {} });
              return () => subscription.close();
            },
          };
        };
        return {
          measures: measuresOf(listener, scale),
          close: () => Promise.all(caches.map((cache) => cache.close())),
        };
      },
    },
    {
      name: "ioredis 5",
      kind: "ioredis 5",
      async open({ redisUrl, scale }) {
        const { Redis } = await import("ioredis-5");
        const clients: { disconnect(): void }[] = [];
        const listener = (): Listener => {
          const client = new Redis(redisUrl);
          clients.push(client);
          return {
            async subscribe(channel) {
              await client.subscribe(channel);
              return () => client.unsubscribe(channel);
            },
          };
        };
        return {
          measures: measuresOf(listener, scale),
          close() {
            for (const client of clients) client.disconnect();
          },
        };
      },
    },
  ],
};
