/** What queues tell each other by the doorbell. */
export type Note =
  /** A stream has got something. */
  | { readonly kind: "work"; readonly name: string }
  /** A message will be due. */
  | { readonly kind: "delayed"; readonly inMs: number }
  /** The queue was tended just now: so many leases are held, and the next delayed message is due then. */
  | { readonly kind: "tended"; readonly pending: number; readonly nextDueInMs: number | undefined };

export function writeNote(note: Note): string {
  switch (note.kind) {
    case "work":
      return `w:${note.name}`;
    case "delayed":
      return `d:${note.inMs}`;
    case "tended":
      return `t:${note.pending}:${note.nextDueInMs ?? ""}`;
  }
}

/** Undefined where it is nobody's we know. */
export function readNote(text: string): Note | undefined {
  const [kind, first = "", second = ""] = text.split(":");
  if (kind === "w") return { kind: "work", name: first };
  if (!/^\d{1,15}$/.test(first)) return undefined;
  if (kind === "d") return { kind: "delayed", inMs: Number(first) };
  if (kind !== "t" || !/^\d{0,15}$/.test(second)) return undefined;
  return { kind: "tended", pending: Number(first), nextDueInMs: second === "" ? undefined : Number(second) };
}
