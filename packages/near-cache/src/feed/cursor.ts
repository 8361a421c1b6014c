import { type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { invalidationStream } from "@continuum-cache/core/kit";
import { announcement, type Entry, readEntries } from "./record.ts";
import { compareIds, type StreamId } from "./stream-id.ts";

/**
 * Up to where a process has read the stream. It goes from `unknown` to `at` by a look at the newest entry, or by way of
 * `empty` where there is none yet; a look that can't follow goes back to `unknown`. Only while it is `at` is anything
 * held.
 */
export type Cursor =
  | { readonly kind: "unknown" }
  /** The stream has no entry. The next look adds one, so that its loss is noticed from then on. */
  | { readonly kind: "empty" }
  | { readonly kind: "at"; readonly id: StreamId; readonly text: string };

export const unknown: Cursor = { kind: "unknown" };
const empty: Cursor = { kind: "empty" };

/** What a look has found. */
export type Finding =
  /** All that was announced since the cursor. */
  | { readonly kind: "followed"; readonly cursor: Cursor & { kind: "at" }; readonly entries: readonly Entry[] }
  /** A place to start from. What was announced before is not known. */
  | { readonly kind: "started"; readonly cursor: Cursor }
  /** Entries are missing, or the stream can't be read. */
  | { readonly kind: "lost" };

const lost: Finding = { kind: "lost" };

/** A look with as many entries as this stops there: to start anew is cheaper. */
const maxEntries = 1_000;

/** The command of a look from a cursor. */
export function lookCommand(cursor: Cursor): Command {
  switch (cursor.kind) {
    case "unknown":
      return ["XREVRANGE", invalidationStream, "+", "-", "COUNT", 1];
    case "empty":
      return announcement([]);
    case "at":
      // The entry at the cursor comes first, as long as neither it nor any later one has been trimmed or lost.
      return ["XRANGE", invalidationStream, cursor.id, "+", "COUNT", maxEntries + 1];
  }
}

/**
 * Reads the reply of a look.
 *
 * @param cursor - From where it looked.
 * @param knownId - The highest id that this process had heard of before the look was sent.
 */
export function readLook(cursor: Cursor, reply: Reply | undefined, knownId: StreamId | undefined): Finding {
  if (typeof reply === "object" && reply !== null && isCommandError(reply)) return lost;
  // An XADD answers the id alone; the entry's text is read with the next look.
  if (cursor.kind === "empty") return { kind: "started", cursor: unknown };
  const entries = readEntries(reply);
  if (!entries) return lost;
  const [first] = entries;
  const last = entries.at(-1);
  if (cursor.kind === "unknown") {
    return { kind: "started", cursor: first ? { kind: "at", id: first.id, text: first.text } : empty };
  }
  if (!first || !last || first.id !== cursor.id || first.text !== cursor.text) return lost;
  if (entries.length > maxEntries) return lost;
  // A failover has lost what this process itself had announced.
  if (knownId !== undefined && compareIds(last.id, knownId) < 0) return lost;
  return { kind: "followed", cursor: { kind: "at", id: last.id, text: last.text }, entries: entries.slice(1) };
}
