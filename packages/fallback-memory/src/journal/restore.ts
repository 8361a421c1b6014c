import type { Command } from "@continuum-cache/core";
import { compileGlob, createTimeSlices, TextMap } from "@continuum-cache/core/kit";
import { bulkOfId, idOf, type KeyWrite, never } from "@continuum-cache/transport-memory/kit";
import { commandOf, type JournalRecord } from "./journal-record.ts";
import type { Noting } from "./noting.ts";
import type { OutageJournal } from "./outage-journal.ts";

/** Runs a command in the memory, and has the journal take it down if it is given what is known of it. */
type Write = (command: Command, noting?: Noting) => void;

/** Makes a journal what it was in an earlier process, and the memory with it, in slices. */
export async function restore(
  records: readonly JournalRecord[],
  journal: OutageJournal,
  nowMs: number,
  write: Write,
): Promise<void> {
  const overdue = createOverdueEnds(nowMs, (end, mutations) => write(commandOf(end), { fate: "none", mutations }));
  const written = new TextMap<true>();
  const slices = createTimeSlices();
  const breathe = async (): Promise<void> => slices.yieldIfDue();
  /** What comes after starts from nothing, here as there. @returns how many mutations were not taken down yet. */
  const clear = (id: string): number => {
    if (!written.delete(id)) return 0;
    write(["DEL", bulkOfId(id)]);
    return overdue.drop(id);
  };
  const clearMatching = async (matches: (id: string) => boolean): Promise<number> => {
    let dropped = 0;
    for (const id of written.keys()) {
      if (matches(id)) dropped += clear(id);
      await breathe();
    }
    return dropped;
  };
  const run = (one: KeyWrite, atMs: number, noting: Noting): void => {
    written.set(idOf(one.key), true);
    const now = overdue.before(one, atMs, noting.mutations ?? 1);
    if (!now) return;
    const { write: left, mutations } = now;
    write(commandOf(left), { ...noting, mutations, ...(left.kind === "change" && { as: left }) });
  };
  for (const record of records) {
    switch (record.kind) {
      case "write":
        run(record.write, record.atMs, record);
        break;
      case "deletes":
        for (const [at, key] of record.keys.entries()) {
          run({ kind: "delete", key }, nowMs, { fate: "none", mutations: record.mutations[at] });
          await breathe();
        }
        break;
      case "invalidate":
        journal.invalidate(
          record.glob,
          nowMs,
          true,
          (record.mutations ?? 1) + (await clearMatching(matching(record.glob))),
        );
        break;
      case "forget":
        clear(idOf(record.key));
        journal.forget(record.key);
        break;
      case "begin":
        await overdue.settle(breathe);
        journal.begin(record.id);
        break;
      case "confirm":
        await journal.prepare(record.batches);
        journal.confirm(record.batches);
        break;
    }
    await breathe();
  }
  await overdue.settle(breathe);
}

function matching(glob: string): (id: string) => boolean {
  const matches = compileGlob(glob);
  return (id) => matches(bulkOfId(id));
}

type Expire = Extract<KeyWrite, { kind: "expire" }>;

/** Ends that have come since they were written down: they take effect behind what was written before they came. */
interface OverdueEnds {
  /** What of a write is to be done at once, and for how many mutations; an end of its key that had come is settled first. */
  before(
    write: KeyWrite,
    atMs: number,
    mutations: number,
  ): { readonly write: KeyWrite; readonly mutations: number } | undefined;
  /** The key that was to end is gone already. @returns how many mutations its end stood for. */
  drop(id: string): number;
  /** Lets those take effect that are left. @param breathe - Called between them. */
  settle(breathe: () => Promise<void>): Promise<void>;
}

function createOverdueEnds(nowMs: number, run: (end: Expire, mutations: number) => void): OverdueEnds {
  const held = new TextMap<{ readonly end: Expire; readonly mutations: number }>();
  return {
    before(write, atMs, mutations) {
      const id = idOf(write.key);
      const earlier = held.get(id);
      let count = mutations;
      if (earlier && earlier.end.expiresAtMs <= atMs) run(earlier.end, earlier.mutations);
      else if (earlier && leavesEnd(write)) return { write, mutations };
      else count += earlier?.mutations ?? 0;
      held.delete(id);
      const endMs = write.kind === "set" || write.kind === "expire" ? write.expiresAtMs : never;
      if (endMs > nowMs) return { write, mutations: count };
      const isSet = write.kind === "set";
      held.set(id, { end: { kind: "expire", key: write.key, expiresAtMs: endMs }, mutations: isSet ? 0 : count });
      return isSet ? { write: { ...write, expiresAtMs: never }, mutations: count } : undefined;
    },
    drop(id) {
      const dropped = held.get(id)?.mutations ?? 0;
      held.delete(id);
      return dropped;
    },
    async settle(breathe) {
      for (const { end, mutations } of held.values()) {
        run(end, mutations);
        await breathe();
      }
      held.clear();
    },
  };
}

/** Whether a write leaves the end of its key as it is. */
const leavesEnd = ({ kind }: KeyWrite): boolean => kind !== "delete" && kind !== "set" && kind !== "expire";
