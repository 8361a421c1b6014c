import { type Command, isTransportError, type Transport, type TransportError } from "@continuum-cache/core";
import {
  type Attachment,
  type Claim,
  createCancellableSleep,
  createClaim,
  createExpiringSet,
  loadStreams,
  type TopicListener,
} from "@continuum-cache/core/kit";
import { createWake } from "../wake.ts";

/** Tells processes through a channel that there is work. A notification may get lost: listeners poll as well. */
export interface Doorbell {
  /**
   * Notifies all listeners: the first notification leaves at once, those of the next milliseconds leave together, and
   * many of them leave early. Never rejects.
   *
   * @param count - It stands for so many.
   */
  ring(note?: string, count?: number): void;
  /**
   * The same for a trip that is about to leave: returns the notification as a command for that trip, where one is due.
   * Otherwise it returns `undefined`, and the notes wait for the next notification.
   */
  ringAlong(notes: Iterable<string>, count: number): Command | undefined;
  /**
   * Calls the listener with the notes of each notification, own ones too. Calls it without notes when the stream broke
   * or is back, since it may have missed something. Returns the function that stops it. The listener must not throw.
   */
  listen(onRing: (notes: readonly string[]) => void): () => void;
  /** Whether notifications of other processes are heard now. */
  readonly isHeard: boolean;
  /** Stops listening and notifying. A notification that waits is sent before. */
  close(): Promise<void>;
}

/**
 * Listens through the stream that the whole process shares, as a `serverOnly` listener: see `SharedStream` for what
 * that means next to pub/sub. When the stream breaks, and again when it is back, each listener is called without notes.
 *
 * @param channel - As it travels: a wire name.
 * @param onFailure - Called when the channel can't be listened to, once until it can: an ACL may forbid it. Then
 *   listeners only poll.
 */
export function createDoorbell(
  transport: Transport,
  channel: string,
  timeoutMs: number,
  onFailure: (error: unknown) => void = () => {},
): Doorbell {
  const listeners = new Set<(notes: readonly string[]) => void>();
  const sending = createNotifications(transport, channel, timeoutMs);
  let listening: Listening | undefined;
  let isClosed = false;

  const callAll = (notes: readonly string[]): void => {
    for (const listener of [...listeners]) listener(notes);
  };
  const stopListening = (): void => {
    listening?.end();
    listening = undefined;
  };

  return {
    get isHeard() {
      return listening?.isOpen ?? false;
    },
    ring(note, count = 1) {
      if (!isClosed) sending.add(note === undefined ? [] : [note], count);
    },
    ringAlong: (notes, count) => (isClosed ? undefined : sending.addToTrip(notes, count)),
    listen(onRing) {
      if (isClosed) return () => {};
      // The same function may listen twice: each call has an entry of its own.
      const listener = (notes: readonly string[]): void => onRing(notes);
      listeners.add(listener);
      listening ??= startListening(transport, channel, timeoutMs, {
        message: ({ data }) => callAll(readNotes(data)),
        changed: () => callAll([]),
        failed: onFailure,
      });
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stopListening();
      };
    },
    async close() {
      isClosed = true;
      listeners.clear();
      stopListening();
      await sending.close();
    },
  };
}

/** The notifications that a process sends. */
interface Notifications {
  add(notes: Iterable<string>, count: number): void;
  /** Returns a command for the trip that is about to leave, where a notification is due. */
  addToTrip(notes: Iterable<string>, count: number): Command | undefined;
  /** Resolves when what waits is sent. */
  close(): Promise<void>;
}

/** The least time between two notifications. */
const coalesceMs = 20;
/** So many are sent without waiting: one more command is cheap beside them, and a listener may have run out of work. */
const many = 50;

function createNotifications(transport: Transport, channel: string, timeoutMs: number): Notifications {
  const notes = new Set<string>();
  const hurry = createWake();
  const underWay = createExpiringSet<Promise<unknown>>();
  /** Held by the call that sends what waits; `isWaiting` while it waits for `coalesceMs` to pass. */
  let sending: { readonly claim: Claim; readonly isWaiting: boolean } | undefined;
  /** So many wait to be sent. */
  let waiting = 0;
  let sentMs = Number.NEGATIVE_INFINITY;

  const collect = (some: Iterable<string>, count: number): void => {
    for (const note of some) notes.add(note);
    waiting += count;
  };
  const take = (): Command => {
    sentMs = performance.now();
    waiting = 0;
    const text = writeNotes(notes);
    notes.clear();
    return ["PUBLISH", channel, text];
  };
  const send = async (): Promise<void> => {
    const waitMs = sentMs + coalesceMs - performance.now();
    const own = { claim: createClaim(), isWaiting: waitMs > 0 };
    sending = own;
    // Notifications of one tick leave together, too.
    await (own.isWaiting ? hurry.wait(waitMs) : Promise.resolve());
    own.claim.end();
    if (sending !== own) return;
    sending = undefined;
    // A trip may have taken the notes along.
    if (waiting === 0 && notes.size === 0) return;
    try {
      await transport.send([take()], { timeoutMs });
    } catch {
      // The notification is lost. Listeners poll before long.
    }
  };
  const sendSoon = (): void => {
    if (!sending?.claim.isHeld) {
      const sent = send();
      underWay.add(sent, 2 * timeoutMs);
      void sent.finally(() => underWay.delete(sent));
    }
    if (sending?.isWaiting && waiting >= many) hurry.wake();
  };

  return {
    add(some, count) {
      collect(some, count);
      sendSoon();
    },
    addToTrip(some, count) {
      collect(some, count);
      if (waiting >= many || performance.now() >= sentMs + coalesceMs) return take();
      sendSoon();
      return undefined;
    },
    async close() {
      hurry.wake();
      await Promise.all([...underWay]);
    },
  };
}

/** A place at the shared stream. */
interface Listening {
  /** Whether the server has confirmed it, and other processes are heard. */
  readonly isOpen: boolean;
  end(): void;
}

interface ListeningListener extends Pick<TopicListener, "message"> {
  /** The stream broke, or is there. */
  changed(): void;
  /** It can't be opened: called once until it can. */
  failed(error: unknown): void;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** Attaches to the shared stream, again and again until that succeeds: from then on the stream reconnects by itself. */
function startListening(
  transport: Transport,
  channel: string,
  timeoutMs: number,
  listener: ListeningListener,
): Listening {
  const pauses = createCancellableSleep();
  const ending = new AbortController();
  let attachment: Attachment | undefined;
  let stopLooking: (() => void) | undefined;
  let isOpen = false;

  const change = (isHeard: boolean): void => {
    isOpen = isHeard;
    if (!pauses.isEnded) listener.changed();
  };
  const topicListener: TopicListener = {
    serverOnly: true,
    message: listener.message,
    lost: ({ error }) => (isClosed(error) ? undefined : change(false)),
    restored: ({ degraded }) => change(!degraded),
  };
  const attach = async (): Promise<void> => {
    const stream = (await loadStreams()).serverStreamOf(transport);
    if (pauses.isEnded) return;
    stopLooking ??= stream.lookAfter(() => {});
    const options = { timeoutMs, signal: ending.signal };
    attachment = await stream.attach({ kind: "channel", name: channel }, topicListener, options);
    if (pauses.isEnded) attachment.detach();
    else change(!attachment.start.degraded);
  };
  const attachUntilHeard = async (): Promise<void> => {
    let isReported = false;
    for (let pauseMs = firstPauseMs; !pauses.isEnded; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        return await attach();
      } catch (error) {
        // A transport that was closed stays closed.
        if (isTransportError(error) && isClosed(error)) return;
        // Calls report an outage by themselves. Nothing else reports a channel that is forbidden.
        const isOurs = !isTransportError(error) || error.kind === "unauthorized";
        if (isOurs && !isReported && !pauses.isEnded) listener.failed(error);
        isReported ||= isOurs;
      }
      await pauses.wait(pauseMs * (0.5 + Math.random()), undefined);
    }
  };
  if (transport.subscribe) void attachUntilHeard();

  return {
    get isOpen() {
      return isOpen && !pauses.isEnded;
    },
    end() {
      pauses.end();
      ending.abort();
      stopLooking?.();
      attachment?.detach();
    },
  };
}

const isClosed = ({ kind }: TransportError): boolean => kind === "closed";

/** The notes of a notification as one line of text, which every transport can carry. */
const writeNotes = (notes: Iterable<string>): string => JSON.stringify([...notes]);

/** No honest notification is longer. What it leaves out is found by polling. */
const mostLength = 1 << 20;
const mostNotes = 10_000;

/** The notes of a notification. What can't be read counts as a notification without notes. */
export function readNotes(data: string | Uint8Array): readonly string[] {
  if (typeof data !== "string" || data.length > mostLength) return [];
  try {
    const notes: unknown = JSON.parse(data);
    return Array.isArray(notes) ? notes.slice(0, mostNotes).filter((note) => typeof note === "string") : [];
  } catch {
    // Another client may have published it.
    return [];
  }
}
