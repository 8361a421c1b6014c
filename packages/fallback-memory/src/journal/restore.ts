import { type Command, compileGlob, keysIn } from "@continuum-cache/core";
import { never } from "../keyspace/keyspace.ts";
import { bulkOfId, idOf } from "../values/bulk.ts";
import { commandOf, type JournalRecord, type KeyWrite } from "./journal-record.ts";
import type { Noting } from "./noting.ts";
import type { OutageJournal } from "./outage-journal.ts";

/** Runs a command in the memory, and has the journal take it down if it is given what is known of it. */
type Write = (command: Command, noting?: Noting) => void;

/** Makes a journal what it was in an earlier process, and the memory with it. */
export function restore(records: readonly JournalRecord[], journal: OutageJournal, nowMs: number, write: Write): void {
  const overdue = createOverdueEnds(nowMs, (end) => write(commandOf(end), { fate: "none" }));
  const written = new Set<string>();
  /** What comes after starts from nothing, here as there. */
  const clear = (ids: Iterable<string>): void => {
    for (const id of ids) {
      if (!written.delete(id)) continue;
      overdue.drop(id);
      write(["DEL", bulkOfId(id)]);
    }
  };
  for (const record of records) {
    switch (record.kind) {
      case "write": {
        written.add(idOf(record.write.key));
        const now = overdue.before(record.write, record.atMs);
        if (now) write(commandOf(now), now.kind === "change" ? { ...record, as: now } : record);
        break;
      }
      case "invalidate":
        clear(matching(record.glob, written));
        journal.invalidate(record.glob, nowMs);
        break;
      case "forget":
        clear([idOf(record.key)]);
        journal.forget(keysIn([["DEL", record.key]]));
        break;
      case "begin":
        overdue.settle();
        journal.begin(record.id);
        break;
      case "confirm":
        journal.confirm();
        break;
    }
  }
  overdue.settle();
}

function matching(glob: string, ids: Iterable<string>): string[] {
  const matches = compileGlob(glob);
  return [...ids].filter((id) => matches(bulkOfId(id)));
}

type Expire = Extract<KeyWrite, { kind: "expire" }>;

/** Ends that have come since they were written down: they take effect behind what was written before they came. */
interface OverdueEnds {
  /** What of a write is to be done at once; an end of its key that had come by then is settled first. */
  before(write: KeyWrite, atMs: number): KeyWrite | undefined;
  /** The key that was to end is gone already. */
  drop(id: string): void;
  settle(): void;
}

function createOverdueEnds(nowMs: number, run: (end: Expire) => void): OverdueEnds {
  const held = new Map<string, Expire>();
  return {
    before(write, atMs) {
      const id = idOf(write.key);
      const end = held.get(id);
      if (end && end.expiresAtMs <= atMs) run(end);
      if ((end && end.expiresAtMs <= atMs) || write.kind === "delete" || write.kind === "set") held.delete(id);
      const endMs = write.kind === "set" || write.kind === "expire" ? write.expiresAtMs : never;
      if (write.kind === "expire") held.delete(id);
      if (endMs > nowMs) return write;
      held.set(id, { kind: "expire", key: write.key, expiresAtMs: endMs });
      return write.kind === "set" ? { ...write, expiresAtMs: never } : undefined;
    },
    drop(id) {
      held.delete(id);
    },
    settle() {
      for (const end of held.values()) run(end);
      held.clear();
    },
  };
}
