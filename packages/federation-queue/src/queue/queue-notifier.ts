import type { Notifier } from "../shared/notifier.ts";
import type { Maintenance } from "./maintenance.ts";
import type { PriorityStream } from "./settings.ts";

/** What the processes of a queue send each other over the queue's channel. */
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
  /** Says whether notifications of other processes arrive now. */
  readonly channel: Pick<Notifier, "isListening">;
  notify(notification: QueueNotification): void;
  /**
   * Calls the listener when a stream got messages; with undefined when any stream may have. The first listener opens
   * the subscription, the last one closes it. @returns the function that stops it.
   */
  onWork(listener: (stream: PriorityStream | undefined) => void): () => void;
}

export function createQueueNotifier(
  channel: Notifier,
  streams: readonly PriorityStream[],
  maintenance: Pick<Maintenance, "noteActivity" | "onNotification">,
  /** Called when the subscription broke or is back: another server may answer from now on. */
  interrupted: () => void,
): QueueNotifier {
  const workers = new Set<(stream: PriorityStream | undefined) => void>();
  const byText = new Map(streams.map((stream) => [writeNotification({ kind: "work", name: stream.name }), stream]));
  let stopListening: (() => void) | undefined;
  let wasHeard = false;

  const notifyWorkers = (stream: PriorityStream | undefined): void => {
    for (const worker of workers) worker(stream);
  };
  const missed = (): void => {
    if (wasHeard) interrupted();
    wasHeard ||= channel.isListening;
    maintenance.onNotification(undefined);
    notifyWorkers(undefined);
  };
  const receive = (texts: readonly string[]): void => {
    if (texts.length === 0) missed();
    wasHeard ||= channel.isListening;
    for (const text of texts) {
      const stream = byText.get(text);
      const notification = stream ? undefined : readNotification(text);
      if (stream || notification?.kind === "work") {
        maintenance.noteActivity();
        notifyWorkers(stream);
      } else if (notification) maintenance.onNotification(notification);
    }
  };

  return {
    channel,
    notify: (notification) => channel.notify(writeNotification(notification)),
    onWork(onWork) {
      workers.add(onWork);
      stopListening ??= channel.listen(receive);
      return () => {
        workers.delete(onWork);
        if (workers.size > 0) return;
        stopListening?.();
        stopListening = undefined;
      };
    },
  };
}
