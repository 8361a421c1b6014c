import type { Notifier } from "../shared/notifier.ts";
import type { PriorityStream } from "./queue-keys.ts";

/** What the processes of a queue tell each other over the queue's channel. */
export type QueueNotification =
  /** A stream has a new message. */
  | { readonly kind: "work"; readonly name: string }
  /** A delayed message was added. */
  | { readonly kind: "delayed"; readonly inMs: number }
  /** Maintenance has just run: this many leases are held, and the next delayed message is due then. */
  | { readonly kind: "maintained"; readonly pending: number; readonly nextDueInMs: number | undefined };

export function writeNotification(notification: QueueNotification): string {
  switch (notification.kind) {
    case "work":
      return `w:${notification.name}`;
    case "delayed":
      return `d:${notification.inMs}`;
    case "maintained":
      return `t:${notification.pending}:${notification.nextDueInMs ?? ""}`;
  }
}

/** Undefined for any other text. */
export function readNotification(text: string): QueueNotification | undefined {
  const [kind, first = "", second = ""] = text.split(":");
  if (kind === "w") return { kind: "work", name: first };
  if (!/^\d{1,15}$/.test(first)) return undefined;
  if (kind === "d") return { kind: "delayed", inMs: Number(first) };
  if (kind !== "t" || !/^\d{0,15}$/.test(second)) return undefined;
  return { kind: "maintained", pending: Number(first), nextDueInMs: second === "" ? undefined : Number(second) };
}

/** Sends and receives the notifications of a queue. */
export interface QueueNotifier {
  /** Whether notifications of other processes arrive now. */
  readonly isListening: boolean;
  notify(notification: QueueNotification): void;
  /**
   * Calls the listener when a stream got messages; with undefined when any stream may have. The first listener opens
   * the subscription, the last one closes it. @returns the function that stops it.
   */
  onWork(listener: (stream: PriorityStream | undefined) => void): () => void;
}

export interface QueueNotifierListener {
  /** A stream got messages. */
  work(): void;
  /** Any other notification; undefined: notifications may have been missed. */
  received(notification: Exclude<QueueNotification, { kind: "work" }> | undefined): void;
  /** The subscription broke or is back: another server may answer from now on. */
  interrupted(): void;
}

export function createQueueNotifier(
  sharedNotifier: Notifier,
  streams: readonly PriorityStream[],
  listener: QueueNotifierListener,
): QueueNotifier {
  const workers = new Set<(stream: PriorityStream | undefined) => void>();
  const byText = new Map(streams.map((stream) => [writeNotification({ kind: "work", name: stream.name }), stream]));
  let stopListening: (() => void) | undefined;
  let wasHeard = false;

  const tellWorkers = (stream: PriorityStream | undefined): void => {
    for (const worker of workers) worker(stream);
  };
  const missed = (): void => {
    if (wasHeard) listener.interrupted();
    wasHeard ||= sharedNotifier.isListening;
    listener.received(undefined);
    tellWorkers(undefined);
  };
  const receive = (texts: readonly string[]): void => {
    if (texts.length === 0) missed();
    wasHeard ||= sharedNotifier.isListening;
    for (const text of texts) {
      const stream = byText.get(text);
      const notification = stream ? undefined : readNotification(text);
      if (stream || notification?.kind === "work") {
        listener.work();
        tellWorkers(stream);
      } else if (notification) listener.received(notification);
    }
  };

  return {
    get isListening() {
      return sharedNotifier.isListening;
    },
    notify: (notification) => sharedNotifier.notify(writeNotification(notification)),
    onWork(onWork) {
      workers.add(onWork);
      stopListening ??= sharedNotifier.listen(receive);
      return () => {
        workers.delete(onWork);
        if (workers.size > 0) return;
        stopListening?.();
        stopListening = undefined;
      };
    },
  };
}
