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
