import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { RecordFile } from "../fleet/record-file.ts";
import type { Work } from "../fleet/serve-worker.ts";
import { contenders } from "./clients/catalog.ts";
import type { Arrival, Ear, Listening } from "./clients/contender.ts";
import { readData } from "./message-data.ts";
import type { PubSubRecord } from "./record.ts";
import type { Note, SubscribeTask, SubscriptionTask, Told } from "./tasks.ts";

/** Listens, writes down what it is told, and says when every subscription has heard again after the last fault. */
export function subscribeWork(
  task: SubscribeTask,
  records: RecordFile<PubSubRecord>,
  tell: (told: Told) => void,
): Work<Note> {
  const { subscriptions, contender: name, address, settings } = task;
  const contender = contenders[name].open(address, settings);
  const stopped = new AbortController();
  // Every pause listens to it.
  setMaxListeners(0, stopped.signal);
  const listening = new Map<string, Listening>();
  /** Those that have to hear something from after the last fault. */
  const counted = subscriptions.filter(({ channels }) => channels.length > 0);
  const waiting = new Set(counted.map(({ subscriber }) => subscriber));
  let healedMs = Number.POSITIVE_INFINITY;
  let isFresh = false;

  const settled = (subscriber: string): void => {
    waiting.delete(subscriber);
    if (waiting.size > 0 || isFresh) return;
    isFresh = true;
    tell({ kind: "fresh" });
  };
  const silentEar: Ear = { message: () => {}, gap: () => {} };
  const earOf = ({ subscriber }: SubscriptionTask): Ear => ({
    message({ channel, data, position, degraded }: Arrival) {
      const read = readData(data);
      const atMs = Date.now();
      const known = read ?? { data: { publisher: "nobody", number: -1, startMs: 0 }, isWhole: false };
      const { publisher, number, startMs } = known.data;
      records.write({
        kind: "delivery",
        subscriber,
        publisher,
        number,
        channel,
        atMs,
        ...(position && { position }),
        ...(degraded && { degraded }),
        ...(!known.isWhole && { isAltered: true }),
      });
      if (startMs > healedMs && !degraded) settled(subscriber);
    },
    gap({ from, to, missed, reason }) {
      const times = { atMs: Date.now(), fromMs: from.getTime(), toMs: to.getTime() };
      records.write({ kind: "gap", subscriber, ...times, ...(missed !== undefined && { missed }), reason });
    },
  });

  /** Whoever wants to listen while nobody answers asks again. */
  const open = async (one: SubscriptionTask): Promise<void> => {
    const { subscriber, wish, channels, afterMs } = one;
    while (!stopped.signal.aborted) {
      const askedMs = Date.now();
      try {
        listening.set(subscriber, await contender.listen(wish, channels.length > 0 ? earOf(one) : silentEar));
      } catch {
        await pause(100);
        continue;
      }
      if (channels.length === 0) return;
      records.write({
        kind: "open",
        subscriber,
        mode: wish.replay ? "replay" : "volatile",
        channels,
        through: wish.loopMs === undefined ? "handler" : "loop",
        askedMs,
        atMs: Date.now(),
        ...(wish.after !== undefined && { after: wish.after }),
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
    if (counted.some((each) => each.subscriber === subscriber)) {
      records.write({ kind: "close", subscriber, atMs: Date.now() });
    }
  };
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopped.signal }).catch(() => {});

  const live = async (one: SubscriptionTask): Promise<void> => {
    await pause(one.openAfterMs);
    await open(one);
    if (one.closeAfterMs === undefined) return;
    await pause(one.closeAfterMs - one.openAfterMs);
    await close(one.subscriber);
    settled(one.subscriber);
  };
  const done = async (): Promise<void> => {
    const early = subscriptions.filter(({ openAfterMs }) => openAfterMs === 0);
    const later = subscriptions.filter(({ openAfterMs }) => openAfterMs > 0);
    const lives = early.map(live);
    await Promise.race([Promise.all(early.map(untilListening)), new Promise((resolve) => onStop(resolve))]);
    tell({ kind: "opened" });
    await Promise.all([...lives, ...later.map(live)]);
    await new Promise((resolve) => onStop(resolve));
    for (const { subscriber } of subscriptions) await close(subscriber);
    await contender.close();
  };
  const onStop = (call: (value?: unknown) => void): void => {
    if (stopped.signal.aborted) call();
    else stopped.signal.addEventListener("abort", () => call());
  };
  const untilListening = async ({ subscriber }: SubscriptionTask): Promise<void> => {
    while (!listening.has(subscriber) && !stopped.signal.aborted) await pause(5);
  };

  return {
    hear(note) {
      if (note.kind === "healed") healedMs = note.atMs;
      else stopped.abort();
    },
    done: done(),
  };
}
