import type { Command, Events, Reply } from "@continuum-cache/core";
import { createMutex, unwrap } from "@continuum-cache/core/kit";
import type { Notifier } from "../shared/notifier.ts";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { type Appender, createAppender } from "./appender.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { createOriginLease, type OriginLease } from "./origin-lease.ts";
import type { PendingEvent } from "./pending-event.ts";
import { createProducerWindow } from "./producer-window.ts";
import type { LogKeys, LogSettings } from "./settings.ts";
import { eventText, laterOf, parseId, type StreamEntry, type StreamId, writeId } from "./stream.ts";
import type { LogEvents } from "./types.ts";

/** The part of a log that appends: the lease of its name, and what this process knows of its own stream. */
export interface Producer {
  readonly lease: OriginLease;
  readonly appender: Appender;
  /** Calls the listener with the origins that have new events; with none when something may have been missed. */
  listen(onNotification: (origins: readonly string[]) => void): () => void;
}

export function createProducer(
  link: PrimaryClient,
  settings: LogSettings,
  clock: HybridClock,
  notifier: Notifier,
  emit: Events<LogEvents>["emit"],
  failed: (operation: string, error: unknown) => void,
): Producer {
  const { keys, instanceId, repair } = settings;
  const turns = createMutex();
  const window = createProducerWindow(repair, clock);
  let isFirstHold = true;
  /** Events that a failover has lost and that this process no longer remembers, not reported yet. */
  let lost = 0;
  let stopWaiting: (() => void) | undefined;

  const report = (repaired: number): void => {
    if (repaired > 0 || lost > 0) emit("repaired", { count: repaired, lost });
    lost = 0;
  };
  const restart = (last: StreamId, streamLast: StreamId): void => {
    lost += appender.requeue(window.restart(last, streamLast));
    report(0);
  };

  /** Compares what this process remembers with what the server has, so that what is missing is appended again. */
  const reconcile = (streamLast: StreamId): void => {
    const found = window.reconcile(streamLast);
    lost += found.lost;
    if (found.appended > 0) appender.acknowledge(found.appended);
    if (found.isForeign) {
      const error = `Another program has written to the stream of "${instanceId}": numbers go on behind its entry`;
      failed("append", new Error(error));
      restart({ atMs: streamLast.atMs, seq: Math.max(streamLast.seq, window.lastAccepted.seq) }, streamLast);
    }
    if (!window.numbered.some(({ isRepeat }) => isRepeat)) report(0);
    appender.wake();
  };

  const lease = createOriginLease(link, settings, clock, turns, {
    get last() {
      return window.last;
    },
    async acquired({ streamLast, registryLast }, continuity) {
      stopWaiting?.();
      stopWaiting = undefined;
      if (!isFirstHold && continuity === "own") return reconcile(streamLast);
      const isGone = streamLast.seq < registryLast.seq;
      const last = isGone ? await findLastSeen(link, keys, instanceId, registryLast) : streamLast;
      const appended = await findAppended(link, keys.stream(instanceId), window.numbered);
      if (appended > 0) appender.acknowledge(appended);
      restart(last, streamLast);
      isFirstHold = false;
    },
    conflict() {
      // The process that releases the name sends a notification.
      stopWaiting ??= listen(() => {});
    },
    renewed: reconcile,
    failed: (error) => failed("hold", error),
  });

  const appender: Appender = createAppender({
    link,
    settings,
    clock,
    turns,
    lease,
    window,
    listener: {
      appended: () => notifier.notify(instanceId),
      kept: (pending) => emit("kept", { pending }),
      repaired: report,
      behind: reconcile,
      failed: (error) => failed("append", error),
    },
  });

  const listen = (onNotification: (origins: readonly string[]) => void): (() => void) =>
    notifier.listen((origins) => {
      // The connection broke or is back: the server may be another one, which lacks events that were accepted.
      if (origins.length === 0) lease.renewSoon();
      const isFreed = !lease.isHeld && origins.includes(instanceId);
      if (isFreed) lease.wake();
      if (isFreed || origins.length === 0) appender.wake();
      onNotification(origins);
    });

  return { lease, appender, listen };
}

/** How many of the first of these events are in the stream, though the reply to them was lost. */
async function findAppended(link: PrimaryClient, stream: string, events: readonly PendingEvent[]): Promise<number> {
  const sent = events.filter(({ isFixed, isRepeat, id }) => id && (isFixed || isRepeat));
  const commands = sent.flatMap(({ id }): Command[] => (id ? [["XRANGE", stream, writeId(id), writeId(id)]] : []));
  const replies = await link.send(commands);
  const missing = sent.findIndex(({ text }, at) => {
    const [entry] = unwrap(replies[at]) as readonly StreamEntry[];
    return !entry || eventText(entry) !== text;
  });
  return missing < 0 ? sent.length : missing;
}

/** The last event that readers have seen of an origin whose stream is gone: its numbers go on behind it. */
async function findLastSeen(link: PrimaryClient, keys: LogKeys, origin: string, known: StreamId): Promise<StreamId> {
  const [names] = await link.send([["HKEYS", keys.registry]]);
  const readers = (unwrap(names) as readonly Reply[]).filter((name) => typeof name === "string");
  const cursors = await link.send(readers.map((reader): Command => ["HGET", keys.cursors(reader), origin]));
  return cursors.reduce<StreamId>((last, cursor) => laterOf(last, parseId(cursor) ?? last), known);
}
