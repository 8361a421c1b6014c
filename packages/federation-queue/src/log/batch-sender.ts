import { isTransportError } from "@continuum-cache/core";
import type { Mutex } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { type AppendAnswer, appendScript, readAppendAnswer } from "./append-script.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { OriginLease } from "./origin-lease.ts";
import { type AppendResults, blockedError, isDropped, isTooLarge, type PendingEvent } from "./pending-event.ts";
import type { ProducerWindow } from "./producer-window.ts";
import type { LogSettings } from "./settings.ts";
import { type StreamId, writeId } from "./stream.ts";

/** What appending needs of its log. */
export interface AppendContext {
  readonly link: PrimaryClient;
  readonly settings: LogSettings;
  readonly clock: HybridClock;
  /** Calls that read or write the name or its stream take turns. */
  readonly turns: Mutex;
  readonly lease: OriginLease;
  readonly window: ProducerWindow;
  readonly listener: AppenderListener;
}

/** Called when events were appended, wait, or failed. */
export interface AppenderListener {
  appended(): void;
  kept(pending: number): void;
  /** So many events that a failover had lost were appended again. */
  repaired(count: number): void;
  /** The stream ends with this id, which was not expected. Called within a turn. */
  behind(last: StreamId): void;
  /** No caller waits for the result that failed. */
  failed(error: unknown): void;
}

/** Gives numbers to events and sends them in order, batch by batch. */
export interface BatchSender {
  /** All events that are not accepted yet, in order. */
  readonly events: readonly PendingEvent[];
  /** Whether there are events to send. Forgets those that no caller waits for. */
  hasWork(): boolean;
  add(events: readonly PendingEvent[]): void;
  /** Sends one batch, within a turn. @throws TransportError, CommandError, or an error that names a foreign entry. */
  sendOnce(): Promise<void>;
  /** The first of the numbered events are in the stream. */
  acknowledge(count: number): void;
  /**
   * The numbers of these events are void: they are appended again, before all others, but for events that Redis had
   * accepted.
   *
   * @returns how many are not appended again.
   */
  requeue(events: readonly PendingEvent[]): number;
  /** A new run begins. Events that a run without an end had sent may be in the stream. */
  restart(): void;
}

/** What one batch carries at most; one event may be larger. */
const mostPerBatch = 200;
const mostBatchBytes = 256 << 10;

export function createBatchSender(context: AppendContext, results: AppendResults): BatchSender {
  const { settings, window, lease, listener } = context;
  /** Events without a number, in order. */
  let waiting: PendingEvent[] = [];
  let mostEvents = mostPerBatch;
  let repeated = 0;

  const hasWork = (): boolean => {
    window.prune();
    if (waiting.some(isDropped)) waiting = waiting.filter((event) => !isDropped(event));
    return waiting.length > 0 || window.numbered.length > 0;
  };

  const acknowledge = (count: number): void => {
    const done = window.numbered.slice(0, count);
    repeated += done.filter(({ isRepeat }) => isRepeat).length;
    window.acknowledge(count);
    for (const event of done) results.resolve(event);
    if (done.length > 0) listener.appended();
    if (repeated === 0 || window.numbered.some(({ isRepeat }) => isRepeat)) return;
    listener.repaired(repeated);
    repeated = 0;
  };

  /** The batch was too large: its events go one by one, and a single one is given up. */
  const shrink = (batch: readonly PendingEvent[], error: unknown): void => {
    if (batch.length > 1) mostEvents = 1;
    else for (const event of batch) if (results.discard(event, error)) listener.failed(error);
  };

  return {
    get events() {
      return [...window.numbered, ...waiting];
    },
    hasWork,
    add(events) {
      waiting.push(...events);
    },
    async sendOnce() {
      // An event that its caller gave up while it waited for the turn must not be sent.
      if (!hasWork()) return;
      if (window.numbered.length === 0) window.assign(waiting.splice(0, batchOf(waiting, mostEvents).length));
      const batch = batchOf(window.numbered, mostEvents);
      if (batch.length === 0) return;
      for (const event of batch) event.isSent = true;
      try {
        const answer = await sendBatch(context, batch);
        if (answer.kind === "appended") acknowledge(batch.length);
        else if (answer.kind === "lost") lease.markLost();
        else if (answer.kind === "blocked") throw blockedError(settings.instanceId, answer.lastId);
        else listener.behind(answer.last);
      } catch (error) {
        if (isTransportError(error) && error.delivery === "unknown") for (const event of batch) event.isFixed = true;
        if (!isTooLarge(error)) throw error;
        shrink(batch, error);
      } finally {
        for (const event of batch) event.isSent = false;
      }
    },
    acknowledge,
    requeue(events) {
      const again = events.filter(({ state, isRepeat }) => state !== "settled" && !isRepeat);
      for (const event of again) {
        event.isFixed = false;
        delete event.id;
      }
      waiting.unshift(...again);
      return events.length - again.length;
    },
    restart() {
      mostEvents = mostPerBatch;
      for (const event of window.numbered) if (event.isSent) Object.assign(event, { isFixed: true, isSent: false });
    },
  };
}

/** The first of these events, as many as one batch may carry. */
function batchOf(events: readonly PendingEvent[], mostEvents: number): readonly PendingEvent[] {
  let bytes = 0;
  const most = Math.min(mostEvents, events.length);
  for (let count = 0; count < most; count++) {
    bytes += events[count]?.bytes ?? 0;
    if (count > 0 && bytes > mostBatchBytes) return events.slice(0, count);
  }
  return events.slice(0, most);
}

async function sendBatch(
  { link, settings, lease, clock, window }: AppendContext,
  batch: readonly PendingEvent[],
): Promise<AppendAnswer> {
  const { keys, instanceId, leaseMs, retentionMs } = settings;
  // Trims no event that is young by either clock.
  const floorMs = Math.min(clock.serverMs, batch[0]?.id?.atMs ?? 0) - retentionMs;
  const renewalMs = lease.isRenewalDue ? leaseMs : "";
  const events = batch.flatMap(({ id, text }) => (id ? [writeId(id), text] : []));
  const args = [instanceId, lease.token, window.after, floorMs > 0 ? floorMs : "", renewalMs, ...events];
  const answer = readAppendAnswer(await link.run(appendScript, [keys.registry, keys.stream(instanceId)], args));
  if (answer.kind === "appended" && answer.nowMs !== undefined) lease.markRenewed(answer.nowMs);
  return answer;
}
