import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { untilSeen } from "../fleet/patience.ts";
import type { Records } from "../fleet/serve.ts";
import { contenders } from "./clients/catalog.ts";
import type { Arrival, Listener, Listening } from "./clients/contender.ts";
import { readData } from "./message-data.ts";
import type { PubSubRecord } from "./record.ts";
import type { PubSubApi, SubscribeTask, SubscriptionTask } from "./tasks.ts";

const silent: Listener = { message: () => {}, gap: () => {} };
/** Stands for the publisher of a message that is none of this run's: the rules call it a phantom. */
const unknown = { data: { publisher: "unknown", number: -1, startMs: 0 }, isWhole: false };

/** Listens, records what it is told, and knows when every subscription has heard again after the last fault. */
export function subscribeWork(task: SubscribeTask, records: Records<PubSubRecord>): PubSubApi {
  const { subscriptions, contender: name, address, settings } = task;
  const client = contenders[name].open(address, settings);
  const stopped = new AbortController();
  // Every pause listens to it.
  setMaxListeners(0, stopped.signal);
  const listening = new Map<string, Listening>();
  /** Those that have to hear something from after the last fault. */
  const counted = new Set(
    subscriptions.flatMap(({ subscriber, channels }) => (channels.length > 0 ? [subscriber] : [])),
  );
  const waiting = new Set(counted);
  let healedMs = Number.POSITIVE_INFINITY;

  const listenerOf = ({ subscriber }: SubscriptionTask): Listener => ({
    message({ channel, data, position, degraded }: Arrival) {
      const known = readData(data) ?? unknown;
      const { publisher, number, startMs } = known.data;
      records.write({
        kind: "delivery",
        ...{ subscriber, publisher, number, channel },
        atMs: Date.now(),
        ...(position && { position }),
        ...(degraded && { degraded }),
        ...(!known.isWhole && { isAltered: true }),
      });
      if (startMs > healedMs && !degraded) waiting.delete(subscriber);
    },
    gap({ from, to, missed, reason }) {
      const times = { atMs: Date.now(), fromMs: from.getTime(), toMs: to.getTime() };
      records.write({ kind: "gap", subscriber, ...times, ...(missed !== undefined && { missed }), reason });
    },
  });
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopped.signal }).catch(() => {});

  /** Asks again while the server does not answer. */
  const open = async (one: SubscriptionTask): Promise<void> => {
    const { subscriber, options, channels, afterMs } = one;
    while (!stopped.signal.aborted) {
      const askedMs = Date.now();
      try {
        listening.set(subscriber, await client.listen(options, channels.length > 0 ? listenerOf(one) : silent));
      } catch {
        await pause(100);
        continue;
      }
      if (channels.length === 0) return;
      records.write({
        kind: "open",
        subscriber,
        mode: options.replay ? "replay" : "volatile",
        channels,
        through: options.loopMs === undefined ? "handler" : "loop",
        askedMs,
        atMs: Date.now(),
        ...(options.after !== undefined && { after: options.after }),
        ...(afterMs !== undefined && { afterMs }),
        ...(settings.hasFallback && { isDegraded: true }),
      });
      return;
    }
  };
  const close = async (subscriber: string): Promise<void> => {
    const one = listening.get(subscriber);
    if (!one) return;
    listening.delete(subscriber);
    await one.close();
    if (counted.has(subscriber)) records.write({ kind: "close", subscriber, atMs: Date.now() });
  };
  const live = async (one: SubscriptionTask): Promise<void> => {
    await pause(one.openAfterMs);
    await open(one);
    if (one.closeAfterMs === undefined) return;
    await pause(one.closeAfterMs - one.openAfterMs);
    await close(one.subscriber);
    waiting.delete(one.subscriber);
  };
  const lives = subscriptions.map(live);
  const early = subscriptions.filter(({ openAfterMs }) => openAfterMs === 0).map(({ subscriber }) => subscriber);
  const untilNone = async (left: () => readonly string[]): Promise<void> =>
    void (await untilSeen(left, ({ length }) => length === 0, { everyMs: 5 }));

  return {
    opened: () => untilNone(() => early.filter((subscriber) => !listening.has(subscriber))),
    healed(atMs) {
      healedMs = atMs;
      return untilNone(() => [...waiting]);
    },
    async stop() {
      stopped.abort();
      await Promise.all(lives);
      for (const { subscriber } of subscriptions) await close(subscriber);
      await client.close();
    },
  };
}
