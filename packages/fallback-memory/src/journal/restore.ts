import type { Command } from "@continuum-cache/core";
import { compileGlob, createTimeSlices, TextMap } from "@continuum-cache/core/kit";
import { bulkOfId, commandOf, idOf, type KeyWrite, never } from "@continuum-cache/transport-memory/kit";
import type { JournalRecord } from "./journal-record.ts";
import type { OutageJournal } from "./outage-journal.ts";
import type { WriteContext } from "./write-context.ts";

/** Runs a command on the memory, and journals its writes if there is a context. */
type Write = (command: Command, context?: WriteContext) => void;

/** Makes a journal and the memory what they were in an earlier process, in slices. */
export async function restoreJournal(
  records: readonly JournalRecord[],
  journal: OutageJournal,
  nowMs: number,
  write: Write,
): Promise<void> {
  const overdue = createOverdueEnds(nowMs, (end, mutations) => write(commandOf(end), { delivery: "none", mutations }));
  const written = new TextMap<true>();
  const slices = createTimeSlices();
  const pause = async (): Promise<void> => slices.yieldIfDue();
  /**
   * Deletes a key from the memory, so that later records start from nothing.
   *
   * @returns how many mutations were not journaled.
   */
  const clear = (id: string): number => {
    if (!written.delete(id)) return 0;
    write(["DEL", bulkOfId(id)]);
    return overdue.drop(id);
  };
  const clearMatching = async (matches: (id: string) => boolean): Promise<number> => {
    let dropped = 0;
    for (const id of written.keys()) {
      if (matches(id)) dropped += clear(id);
      await pause();
    }
    return dropped;
  };
  const run = (one: KeyWrite, atMs: number, context: WriteContext): void => {
    written.set(idOf(one.key), true);
    const now = overdue.before(one, atMs, context.mutations ?? 1);
    if (!now) return;
    const { write: left, mutations } = now;
    write(commandOf(left), { ...context, mutations, ...(left.kind === "change" && { as: left }) });
  };
  for (const record of records) {
    switch (record.kind) {
      case "write":
        run(record.write, record.atMs, record);
        break;
      case "deletes":
        for (const [at, key] of record.keys.entries()) {
          run({ kind: "delete", key }, nowMs, { delivery: "none", mutations: record.mutations[at] });
          await pause();
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
        await overdue.settle(pause);
        journal.begin(record.id);
        break;
      case "confirm":
        await journal.prepare(record.batches);
        journal.confirm(record.batches);
        break;
    }
    await pause();
  }
  await overdue.settle(pause);
}

function matching(glob: string): (id: string) => boolean {
  const matches = compileGlob(glob);
  return (id) => matches(bulkOfId(id));
}

type Expire = Extract<KeyWrite, { kind: "expire" }>;

/**
 * Expiries that have passed since they were journaled. They take effect after the writes that came before they
 * passed.
 */
interface OverdueEnds {
  /**
   * The part of a write to run now, and its mutations. Runs an expiry of its key first if that had passed before the
   * write.
   */
  before(
    write: KeyWrite,
    atMs: number,
    mutations: number,
  ): { readonly write: KeyWrite; readonly mutations: number } | undefined;
  /** The key is deleted already: drops its expiry. @returns how many mutations the expiry stood for. */
  drop(id: string): number;
  /** Runs the expiries that are left. @param pause - Called between them. */
  settle(pause: () => Promise<void>): Promise<void>;
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
    async settle(pause) {
      for (const { end, mutations } of held.values()) {
        run(end, mutations);
        await pause();
      }
      held.clear();
    },
  };
}

/** Whether a write keeps the expiry of its key. */
const leavesEnd = ({ kind }: KeyWrite): boolean => kind !== "delete" && kind !== "set" && kind !== "expire";
