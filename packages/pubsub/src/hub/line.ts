import { isTransportError, type Message, type Transport, type TransportError } from "@continuum-cache/core";
import {
  type Claim,
  createBackgroundTask,
  createCancellableSleep,
  createClaim,
  NameMap,
} from "@continuum-cache/core/kit";
import type { HubSettings } from "../settings.ts";
import type { ConnectionChange } from "../types.ts";
import { handOver } from "./hand-over.ts";
import { openStream, type Stream, type StreamListener } from "./open-stream.ts";
import { createProbe } from "./probe.ts";
import { brokenError, silentError, vanishedError } from "./stream-errors.ts";
import { idOf, type Topic, type TopicId, type TopicKind } from "./topic.ts";
import type { Loss, Restoration } from "./topic-listener.ts";
import { createWantedTopics } from "./wanted-topics.ts";
import { createWatchdog } from "./watchdog.ts";

/** Keeps one stream open for as long as there is something to listen to, whatever becomes of it meanwhile. */
export interface Line {
  /** How much its topics' names take, in bytes as they travel in an address. */
  readonly topicBytes: number;
  /** Resolves once the topic is heard. @throws what kept the server from confirming it, the first time. */
  want(topic: Topic): Promise<Restoration>;
  /** A line that nothing is wanted of is over. */
  unwant(topic: Topic): void;
  /** Takes over what a call that has vanished has left: its stream, which is silent, and what it was about to do. */
  takeOver(): void;
}

/** Who is told what becomes of a line. */
export interface LineListener {
  message(message: Message): void;
  lost(topics: readonly Topic[], loss: Loss): void;
  restored(topics: readonly Topic[], back: Restoration): void;
  connection(change: ConnectionChange): void;
  /** The transport was closed: nothing will be heard any more. */
  over(): void;
}

interface Waiter {
  resolve(back: Restoration): void;
  reject(error: unknown): void;
}

const kindsOf = (topics: readonly Topic[]): Set<TopicKind> => new Set(topics.map(({ kind }) => kind));

export function createLine(transport: Transport, settings: HubSettings, listener: LineListener): Line {
  const wanted = createWantedTopics();
  /** Those that were heard at least once: they are told of losses, and come first when the stream is opened anew. */
  const established = new NameMap<true, TopicId>();
  const waiters = new Map<TopicId, Waiter[]>();
  const probe = createProbe(transport, settings.probeChannel, settings.probeTimeoutMs);
  const pauses = createCancellableSleep();
  let live: Stream | undefined;
  /** Of the call within which the stream lives: on the edge the stream ends with it, without a word. */
  let holder: Claim | undefined;
  let attempt = 0;
  let openedMs = 0;

  const watchdog = createWatchdog(settings, async () => {
    const watched = live;
    if (!watched || watched.degraded || livesHere(transport)) return;
    const expected = [...watched.provenMs.keys()].map((kind) => ({ stream: watched, kind }));
    try {
      const sentMs = await probe.ask(expected);
      if (sentMs === undefined) return breakOff(watched, silentError(transport));
      for (const { kind } of expected) watched.provenMs.set(kind, sentMs);
    } catch {
      // A nonce that could not be published says nothing about the stream; the next one does.
    }
  });

  const listenerOf = (stream: Stream): StreamListener => ({
    message(message) {
      if (!probe.hears(stream, message)) listener.message(message);
    },
    broken: (error) => breakOff(stream, error),
  });

  const goLive = (stream: Stream | undefined): void => {
    holder?.release();
    holder = stream && createClaim({ renewMs: 1_000 });
    live = stream;
    wanted.compare(stream?.topics, stream ? probe.topics(stream.provenMs.keys()) : []);
  };

  const breakOff = (stream: Stream, error: TransportError): void => {
    stream.close();
    if (live !== stream) return;
    goLive(undefined);
    if (performance.now() - openedMs >= steadyMs) attempt = 0;
    watchdog.stop();
    listener.connection({ state: "disconnected", at: new Date(), reason: `${error.kind}: ${error.message}` });
    tellLost(stream, error);
    if (error.kind === "closed") giveUp(error);
    else keeping.start();
  };

  const tellLost = (stream: Stream, error: TransportError): void => {
    for (const [kind, sinceMs] of stream.provenMs) {
      const heard = [...stream.topics.values()].filter((topic) => topic.kind === kind && established.has(idOf(topic)));
      listener.lost(heard, { sinceMs, error });
    }
  };

  const settle = (topics: readonly Topic[], outcome: (waiter: Waiter) => void): void => {
    for (const id of topics.map(idOf)) {
      for (const waiter of waiters.get(id) ?? []) outcome(waiter);
      waiters.delete(id);
    }
  };

  /** The topics are heard from here on: those that had been lost are told so, whoever waited goes on. */
  const confirm = (topics: readonly Topic[], back: Restoration): void => {
    const known = topics.filter((topic) => established.has(idOf(topic)));
    if (known.length > 0) listener.restored(known, back);
    for (const topic of topics) if (wanted.has(idOf(topic))) established.set(idOf(topic), true);
    settle(topics, ({ resolve }) => resolve(back));
  };

  const open = async (topics: readonly Topic[]): Promise<void> => {
    const all = [...topics, ...probe.topics(kindsOf(topics))];
    const stream = await openStream({ transport, timeoutMs: settings.timeoutMs, topics: all });
    goLive(stream);
    openedMs = performance.now();
    listener.connection({ state: stream.degraded ? "degraded" : "connected", at: new Date() });
    confirm(topics, backNow(stream));
    watchdog.start();
    stream.attend(listenerOf(stream));
  };

  const extend = async (stream: Stream, topics: readonly Topic[]): Promise<void> => {
    const newKinds = [...kindsOf(topics)].filter((kind) => !stream.provenMs.has(kind));
    const more = [...topics, ...probe.topics(newKinds)];
    if (stream.add) {
      const askedMs = Date.now();
      await stream.add(more);
      for (const kind of newKinds) stream.provenMs.set(kind, askedMs);
    } else {
      const { timeoutMs } = settings;
      const next = await handOver({ transport, timeoutMs, probe, from: stream, more, listenerOf });
      if (live !== stream) {
        next.stream.close();
        throw brokenError(transport);
      }
      goLive(next.stream);
      stream.close();
      if (!next.isSeamless) {
        tellLost(stream, brokenError(transport));
        confirm([...stream.topics.values()], backNow(next.stream));
      }
      confirm(topics, backNow(next.stream));
      next.begin();
      return;
    }
    if (live !== stream) throw brokenError(transport);
    wanted.added(topics);
    confirm(topics, backNow(stream));
  };

  /** Several together, and one by one when the server says no to one of them. */
  const extendOrRefuse = async (stream: Stream, topics: readonly Topic[]): Promise<void> => {
    try {
      await extend(stream, topics);
    } catch (error) {
      // Once there is another stream they are asked for again, within their callers' time.
      if (live !== stream) return;
      if (topics.length > 1 && isUnauthorized(error)) {
        for (const topic of topics) if (live === stream) await extendOrRefuse(stream, [topic]);
        return;
      }
      refuse(topics, error);
      // Whatever kept this stream from answering may have killed it.
      if (isTransportError(error) && error.kind === "timeout") watchdog.hurry();
    }
  };

  const refuse = (topics: readonly Topic[], error: unknown): void => {
    for (const topic of topics) wanted.delete(topic);
    settle(topics, ({ reject }) => reject(error));
  };

  const giveUp = (error: TransportError): void => {
    refuse(wanted.all(), error);
    pauses.end();
    listener.over();
  };

  /** The longer it fails, the more patiently; never all processes at once. */
  const reopen = async (topics: readonly Topic[]): Promise<void> => {
    const waited = await pauses.wait(
      Math.random() * Math.min(settings.maxReconnectWaitMs, 50 * 2 ** attempt++),
      undefined,
    );
    if (!waited) return;
    try {
      await open(topics);
    } catch (error) {
      // Any other failure is no news: they have been told that they are lost.
      if (isTransportError(error) && error.kind === "closed") giveUp(error);
    }
  };

  const openOrRefuse = async (topics: readonly Topic[]): Promise<void> => {
    try {
      await open(topics);
    } catch (error) {
      const [first, ...others] = topics;
      // One of them may be forbidden: with each that is refused alone the others come nearer.
      if (first && others.length > 0 && isUnauthorized(error)) await openOrRefuse([first]);
      else refuse(topics, error);
    }
  };

  /** One step towards what is wanted. @returns whether there may be another. */
  const step = async (): Promise<boolean> => {
    const stream = live;
    if (wanted.size === 0) {
      watchdog.stop();
      stream?.close();
      goLive(undefined);
      return false;
    }
    if (!stream) {
      const topics = wanted.all();
      const before = topics.filter((topic) => established.has(idOf(topic)));
      await (before.length > 0 ? reopen(before) : openOrRefuse(topics));
      return true;
    }
    const missing = wanted.missing();
    if (missing.length > 0) {
      await extendOrRefuse(stream, missing);
      return true;
    }
    const surplus = stream.remove ? wanted.surplus() : [];
    if (surplus.length === 0) return false;
    wanted.removed(surplus);
    // What is heard of them until then is passed over, and a stream that fails says so itself.
    await stream.remove?.(surplus).catch(() => {});
    return true;
  };

  const keeping = createBackgroundTask(async (isCurrent) => {
    // What this tick wants goes together.
    await Promise.resolve();
    while (isCurrent() && (await step()));
  });

  return {
    get topicBytes() {
      return wanted.bytes;
    },
    want(topic) {
      const id = idOf(topic);
      wanted.add(topic);
      if (live?.topics.has(id)) {
        established.set(id, true);
        return Promise.resolve(backNow(live));
      }
      return new Promise((resolve, reject) => {
        const own = { resolve, reject };
        const others = waiters.get(id);
        if (others) others.push(own);
        else waiters.set(id, [own]);
        keeping.start();
      });
    },
    unwant(topic) {
      const id = idOf(topic);
      wanted.delete(topic);
      established.delete(id);
      waiters.delete(id);
      if (wanted.size === 0) pauses.end();
      keeping.start();
    },
    takeOver() {
      if (live && holder?.isHeld === false) breakOff(live, vanishedError(transport));
      keeping.takeOver();
    },
  };
}

/** A stream that has lived for so long is one to rely on: the next failure is a new one. */
const steadyMs = 1_000;

const isUnauthorized = (error: unknown): boolean => isTransportError(error) && error.kind === "unauthorized";

const backNow = ({ degraded }: Stream): Restoration => ({ atMs: Date.now(), degraded });

/** A transport that is this process's memory: no stream of it ever dies in silence. */
const livesHere = ({ status }: Transport): boolean => status?.currentBackend === "local" && !status.outage;
