import { isTransportError } from "@continuum-cache/core";
import { createCancellableSleep, createSingleRun, isUnanswered, onAbort, type Turns } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { createWake } from "../shared/wake.ts";
import {
  abortedError,
  blockedError,
  closedError,
  fullError,
  isPassing,
  isTooLarge,
  timeoutError,
} from "./append-errors.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { createLogItem, errorFor, isDropped, type LogItem } from "./log-item.ts";
import type { Name } from "./name.ts";
import { isOriginTakenError } from "./origin-taken-error.ts";
import type { OwnHistory } from "./own-history.ts";
import { sendEvents, tripOf } from "./send-events.ts";
import type { LogSettings } from "./settings.ts";
import type { Appended } from "./types.ts";
import { createWaitingRoom } from "./waiting-room.ts";

/** Appends events in order: at once or, while Redis is away, as soon as it is back. */
export interface Appender {
  /** How many wait in this process. */
  readonly pending: number;
  append(texts: readonly string[], options: AppendingOptions): Promise<readonly Appended[]>;
  /** There may be something to do: the name is free, or what was accepted has to be repeated. */
  stir(): void;
  /** Numbers are void: what had them is appended anew, before all else; only what Redis had accepted is not. @returns how many such there were. */
  takeBack(items: readonly LogItem[]): number;
  /** The first of the numbered are in the stream. */
  accept(count: number): void;
  /** Tries to append what waits, within the time; tells how many could not be. */
  close(withinMs: number): Promise<number>;
}

export interface AppendingOptions {
  readonly fallback: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Told of what was appended and of what waits. */
export interface AppenderListener {
  appended(): void;
  kept(pending: number): void;
  repaired(count: number): void;
  /** The stream ends with this, which was not expected. Called within a turn. */
  behind(last: { readonly atMs: number; readonly seq: number }): void;
  /** Nobody could be told. */
  failed(error: unknown): void;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;

export function createAppender(
  link: PrimaryClient,
  settings: LogSettings,
  clock: HybridClock,
  turns: Turns,
  name: Name,
  history: OwnHistory,
  listener: AppenderListener,
): Appender {
  const room = createWaitingRoom(settings.outbox);
  const closing = createCancellableSleep();
  const wake = createWake();
  /** Events without a number, in order. */
  let waiting: LogItem[] = [];
  /** What the last try failed with; absent when it did not. */
  let trouble: unknown;
  let mostItems = Number.MAX_SAFE_INTEGER;
  let repeated = 0;
  let isClosing = false;

  const keep = (item: LogItem, cause: unknown): void => {
    if (item.state !== "asked") return;
    if (!item.mayWait || !mayWaitFor(cause)) refuse(item, cause);
    else if (!room.enter(item.bytes)) refuse(item, fullError(link.name, cause));
    else {
      item.state = "kept";
      item.resolve({ origin: settings.instanceId, atMs: item.atMs, pending: true });
      listener.kept(room.count);
    }
  };
  const refuse = (item: LogItem, error: unknown): void => {
    if (item.state !== "asked") return;
    item.state = "told";
    item.reject(errorFor(item, error, link.name));
  };
  /** A name that a living process holds is not waited for, but what waits already goes on waiting. */
  const mayWaitFor = (error: unknown): boolean =>
    isOriginTakenError(error) ? !name.isTaken : isUnanswered(error) || isPassing(error);

  const settle = (item: LogItem): void => {
    if (item.state === "kept") room.leave(item.bytes);
    if (item.state === "asked" && item.id) {
      item.resolve({ origin: settings.instanceId, seq: item.id.seq, atMs: item.id.atMs });
    }
    item.state = "told";
    item.isSent = false;
  };

  const accept = (count: number): void => {
    const done = history.numbered.slice(0, count);
    repeated += done.filter(({ isRepeat }) => isRepeat).length;
    history.accepted(count);
    for (const item of done) settle(item);
    if (done.length > 0) listener.appended();
    if (repeated === 0 || history.numbered.some(({ isRepeat }) => isRepeat)) return;
    listener.repaired(repeated);
    repeated = 0;
  };

  const isWork = (): boolean => {
    history.prune();
    if (waiting.some(isDropped)) waiting = waiting.filter((item) => !isDropped(item));
    return waiting.length > 0 || history.numbered.length > 0;
  };

  const sendOnce = async (): Promise<void> => {
    // What was given up while the turn was waited for must not go.
    if (!isWork()) return;
    if (history.numbered.length === 0) history.number(waiting.splice(0, tripOf(waiting, mostItems).length));
    const trip = tripOf(history.numbered, mostItems);
    if (trip.length === 0) return;
    for (const item of trip) item.isSent = true;
    try {
      const answer = await sendEvents(link, settings, name, clock, trip, history.after);
      if (answer.kind === "appended") accept(trip.length);
      else if (answer.kind === "lost") name.lost();
      else if (answer.kind === "blocked") throw blockedError(settings.instanceId, answer.lastId);
      else listener.behind(answer.last);
    } catch (error) {
      if (isTransportError(error) && error.delivery === "unknown") for (const item of trip) item.isFixed = true;
      if (isTooLarge(error)) return shrink(trip, error);
      throw error;
    } finally {
      for (const item of trip) item.isSent = false;
    }
  };

  const shrink = (trip: readonly LogItem[], error: unknown): void => {
    if (trip.length > 1) {
      mostItems = 1;
      return;
    }
    for (const item of trip) {
      if (item.state === "kept") {
        room.leave(item.bytes);
        listener.failed(error);
      }
      item.isFixed = false;
      item.isSent = false;
      refuse(item, error);
      item.state = "told";
    }
  };

  const run = async (isCurrent: () => boolean): Promise<void> => {
    let pauseMs = firstPauseMs;
    // What a run had sent whose call has vanished may have arrived.
    for (const item of history.numbered.filter(({ isSent }) => isSent))
      Object.assign(item, { isFixed: true, isSent: false });
    // What is asked for together travels together.
    await Promise.resolve();
    while (isCurrent() && isWork()) {
      try {
        await name.acquire();
        await turns.take(async () => {
          if (name.isHeld && isCurrent()) await sendOnce();
        });
        trouble = undefined;
        pauseMs = firstPauseMs;
      } catch (error) {
        if (trouble === undefined && !isUnanswered(error)) tellUnlessCallersAre(error);
        trouble = error;
        for (const item of [...history.numbered, ...waiting]) keep(item, error);
        if (closing.isEnded || !isWork()) break;
        if (!(await wake.wait(Math.max(pauseMs * (0.5 + Math.random()), name.retryInMs)))) {
          pauseMs = Math.min(2 * pauseMs, longestPauseMs);
        }
      }
      if (closing.isEnded) break;
    }
    if (!isCurrent()) return;
    mostItems = Number.MAX_SAFE_INTEGER;
    trouble = undefined;
  };
  const running = createSingleRun(run);
  const tellUnlessCallersAre = (error: unknown): void => {
    const isHeard = [...history.numbered, ...waiting].some(({ state }) => state === "asked");
    if (!isHeard || isOriginTakenError(error)) listener.failed(error);
  };
  return {
    get pending() {
      return room.count;
    },
    async append(texts, options) {
      const { timeoutMs, signal, fallback } = options;
      if (isClosing) throw closedError(link.name);
      if (signal?.aborted) throw abortedError(link.name);
      const asked = texts.map((text) => createLogItem(text, clock.next(), fallback));
      const items = asked.map(([item]) => item);
      waiting.push(...items);
      // It is that of a run whose call has vanished, which can't tell when it is over.
      if (!running.isRunning) trouble = undefined;
      if (trouble !== undefined && fallback) for (const item of items) keep(item, trouble);
      else if (trouble !== undefined) {
        // Who can't wait is worth a try of its own.
        name.stir();
        wake.wake();
      }
      running.start();
      void running.attend(() => items.every(({ state }) => state !== "asked"), { timeoutMs });
      const stopHearing = onAbort(signal, () => {
        for (const item of items) refuse(item, abortedError(link.name));
      });
      const timer = setTimeout(() => {
        for (const item of items) keep(item, timeoutError(link.name, timeoutMs));
      }, timeoutMs);
      try {
        const answers = await Promise.allSettled(asked.map(([, promise]) => promise));
        return answers.map((answer) => {
          if (answer.status === "rejected") throw answer.reason;
          return answer.value;
        });
      } finally {
        clearTimeout(timer);
        stopHearing();
      }
    },
    stir() {
      wake.wake();
      if (history.numbered.length > 0) running.start();
    },
    takeBack(items) {
      const again = items.filter(({ state, isRepeat }) => state !== "told" && !isRepeat);
      for (const item of again) {
        item.isFixed = false;
        delete item.id;
      }
      waiting.unshift(...again);
      return items.length - again.length;
    },
    accept,
    async close(withinMs) {
      isClosing = true;
      wake.wake();
      const timer = setTimeout(() => {
        closing.end();
        wake.wake();
      }, withinMs);
      await running.idle();
      clearTimeout(timer);
      closing.end();
      for (const item of [...history.numbered, ...waiting]) refuse(item, closedError(link.name));
      return room.count;
    },
  };
}
