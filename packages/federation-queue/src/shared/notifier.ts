import { type Command, isTransportError, type Transport, type TransportError } from "@continuum-cache/core";
import {
  type Attachment,
  type Claim,
  createBackoff,
  createCancellableSleep,
  createClaim,
  createExpiringSet,
  type TopicListener,
} from "@continuum-cache/core/kit";
import { createWake } from "./timing.ts";

/** Notifies processes through a channel that there is work. A notification may get lost: listeners poll as well. */
export interface Notifier {
  /**
   * Publishes a notification. The first one leaves at once, those of the next milliseconds leave in one message, and
   * many of them leave early. Never rejects.
   *
   * @param notification - What it says; absent: only that there is something.
   * @param count - It stands for so many.
   */
  notify(notification?: string, count?: number): void;
  /**
   * The same for a round trip that is about to leave: returns a command for it that publishes the notifications, where
   * a message is due. Otherwise it returns `undefined`, and they wait for the next message.
   */
  notifyAlong(notifications: Iterable<string>, count: number): Command | undefined;
  /**
   * Calls the listener with the notifications of each message, own ones too. Calls it with none when the stream broke
   * or is back, since it may have missed some. Returns the function that stops it. The listener must not throw.
   */
  listen(onNotifications: (notifications: readonly string[]) => void): () => void;
  /** Whether notifications of other processes are heard now. */
  readonly isListening: boolean;
  /** Stops listening and notifying. A notification that waits is sent before. */
  close(): Promise<void>;
}

/**
 * Listens through the stream that the whole process shares, as a `serverOnly` listener: see `SharedStream` for what
 * that means next to pub/sub. When the stream breaks, and again when it is back, each listener is called with no
 * notification.
 *
 * @param channel - As it travels: a wire name.
 * @param onFailure - Called when the channel can't be listened to, once until it can: an ACL may forbid it. Then
 *   listeners only poll.
 */
export function createNotifier(
  transport: Transport,
  channel: string,
  timeoutMs: number,
  onFailure: (error: unknown) => void = () => {},
): Notifier {
  const listeners = new Set<(notifications: readonly string[]) => void>();
  const outgoing = createOutgoing(transport, channel, timeoutMs);
  let endListening: (() => void) | undefined;
  let isClosed = false;

  const callAll = (notifications: readonly string[]): void => {
    for (const listener of [...listeners]) listener(notifications);
  };
  const stopListening = (): void => {
    endListening?.();
    endListening = undefined;
    notifier.isListening = false;
  };

  const notifier = {
    // Read for each message: a property.
    isListening: false,
    notify(notification?: string, count = 1): void {
      if (!isClosed) outgoing.add(notification === undefined ? [] : [notification], count);
    },
    notifyAlong: (notifications: Iterable<string>, count: number) =>
      isClosed ? undefined : outgoing.addToTrip(notifications, count),
    listen(onNotifications: (notifications: readonly string[]) => void): () => void {
      if (isClosed) return () => {};
      // The same function may listen twice: each call has an entry of its own.
      const listener = (notifications: readonly string[]): void => onNotifications(notifications);
      listeners.add(listener);
      endListening ??= startListening(transport, channel, timeoutMs, {
        message: ({ data }) => callAll(readNotifications(data)),
        changed(isHeard) {
          notifier.isListening = isHeard;
          callAll([]);
        },
        failed: onFailure,
      });
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stopListening();
      };
    },
    async close(): Promise<void> {
      isClosed = true;
      listeners.clear();
      stopListening();
      await outgoing.close();
    },
  };
  return notifier;
}

/** The least time between two messages. */
const coalesceMs = 20;
/**
 * So many notifications do not wait: one more command is cheap beside them, and a listener may have run out of work.
 */
const many = 50;

/** The notifications that a process publishes. */
function createOutgoing(transport: Transport, channel: string, timeoutMs: number) {
  const waiting = new Set<string>();
  const hurry = createWake();
  const underWay = createExpiringSet<Promise<unknown>>();
  /** Its claim is held by the call that publishes; `isWaiting` while that waits for `coalesceMs` to pass. */
  let sending: { readonly claim: Claim; readonly isWaiting: boolean } | undefined;
  /** The waiting notifications stand for so many. */
  let count = 0;
  let sentMs = Number.NEGATIVE_INFINITY;

  const collect = (notifications: Iterable<string>, more: number): void => {
    for (const notification of notifications) waiting.add(notification);
    count += more;
  };
  const take = (): Command => {
    sentMs = performance.now();
    count = 0;
    const text = writeNotifications(waiting);
    waiting.clear();
    return ["PUBLISH", channel, text];
  };
  const send = async (): Promise<void> => {
    const waitMs = sentMs + coalesceMs - performance.now();
    const own = { claim: createClaim(), isWaiting: waitMs > 0 };
    sending = own;
    // Notifications of one tick leave together, too.
    await (own.isWaiting ? hurry.wait(waitMs) : Promise.resolve());
    own.claim.release();
    if (sending !== own) return;
    sending = undefined;
    // A round trip may have taken them along.
    if (count === 0 && waiting.size === 0) return;
    try {
      await transport.send([take()], { timeoutMs });
    } catch {
      // The notifications are lost. Listeners poll before long.
    }
  };
  const sendSoon = (): void => {
    if (!sending?.claim.isHeld) {
      const sent = send();
      underWay.add(sent, 2 * timeoutMs);
      void sent.finally(() => underWay.delete(sent));
    }
    if (sending?.isWaiting && count >= many) hurry.wake();
  };

  return {
    add(notifications: Iterable<string>, more: number): void {
      collect(notifications, more);
      sendSoon();
    },
    /** Returns a command for the round trip that is about to leave, where a message is due. */
    addToTrip(notifications: Iterable<string>, more: number): Command | undefined {
      collect(notifications, more);
      if (count >= many || performance.now() >= sentMs + coalesceMs) return take();
      sendSoon();
      return undefined;
    },
    /** Resolves when the waiting notifications are published. */
    async close(): Promise<void> {
      hurry.wake();
      await Promise.all([...underWay]);
    },
  };
}

interface ListeningListener extends Pick<TopicListener, "message"> {
  /** The stream broke, or is there: whether the server has confirmed it, and other processes are heard. */
  changed(isHeard: boolean): void;
  /** It can't be opened: called once until it can. */
  failed(error: unknown): void;
}

/**
 * Attaches to the shared stream, again and again until that succeeds: from then on the stream reconnects by itself.
 *
 * @returns the function that ends it.
 */
function startListening(
  transport: Transport,
  channel: string,
  timeoutMs: number,
  listener: ListeningListener,
): () => void {
  const pauses = createCancellableSleep();
  const ending = new AbortController();
  let attachment: Attachment | undefined;
  let stopLooking: (() => void) | undefined;

  const change = (isHeard: boolean): void => {
    if (!pauses.isEnded) listener.changed(isHeard);
  };
  const topicListener: TopicListener = {
    serverOnly: true,
    message: listener.message,
    lost: ({ error }) => (isClosed(error) ? undefined : change(false)),
    restored: ({ degraded }) => change(!degraded),
  };
  const attach = async (): Promise<void> => {
    const { serverStreamOf } = await import("@continuum-cache/core/streams");
    const stream = serverStreamOf(transport);
    if (pauses.isEnded) return;
    stopLooking ??= stream.lookAfter(() => {});
    const options = { timeoutMs, signal: ending.signal };
    attachment = await stream.attach({ kind: "channel", name: channel }, topicListener, options);
    if (pauses.isEnded) attachment.detach();
    else change(!attachment.start.degraded);
  };
  const attachUntilHeard = async (): Promise<void> => {
    const backoff = createBackoff({ firstMs: 100, longestMs: 5_000 });
    let isReported = false;
    while (!pauses.isEnded) {
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
      await pauses.wait(backoff.next(), undefined);
    }
  };
  if (transport.subscribe) void attachUntilHeard();

  return () => {
    pauses.end();
    ending.abort();
    stopLooking?.();
    attachment?.detach();
  };
}

const isClosed = ({ kind }: TransportError): boolean => kind === "closed";

/** Notifications as one line of text, which every transport can carry. */
const writeNotifications = (notifications: Iterable<string>): string => JSON.stringify([...notifications]);

/** No honest message is longer. Listeners find by polling what it leaves out. */
const mostLength = 1 << 20;
const mostNotifications = 10_000;

/** The notifications of a message. A message that can't be read has none. */
export function readNotifications(data: string | Uint8Array): readonly string[] {
  if (typeof data !== "string" || data.length > mostLength) return [];
  try {
    const read: unknown = JSON.parse(data);
    return Array.isArray(read) ? read.slice(0, mostNotifications).filter((one) => typeof one === "string") : [];
  } catch {
    // Another client may have published it.
    return [];
  }
}
