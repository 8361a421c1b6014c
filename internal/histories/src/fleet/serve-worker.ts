import { openRecordFile, type RecordFile } from "./record-file.ts";

/** What a process is doing. */
export interface Work<Note> {
  hear(note: Note): void;
  readonly done: Promise<void>;
}

/** What every task says. */
export interface TaskBase {
  readonly process: string;
  /** Where the process writes its records. */
  readonly file: string;
}

/** Something that no promise covers: an unhandled rejection, a call that came to no end. */
export interface TroubleRecord {
  readonly kind: "trouble";
  readonly process: string;
  readonly what: string;
}

/**
 * Makes this process one of a pool: it does one task after another. To be called once.
 *
 * @param begin - `tell` says how far it is; "ready" and "done" are said by themselves.
 */
export function serveWorker<Task extends TaskBase, Note, Entry>(
  begin: (task: Task, records: RecordFile<Entry | TroubleRecord>, tell: (kind: string) => void) => Work<Note>,
): void {
  const tell = (kind: string): void => {
    if (process.connected) process.send?.({ kind });
  };
  let records: RecordFile<Entry | TroubleRecord> | undefined;
  let name = "idle";
  let atWork: Work<Note> | undefined;

  const trouble = (error: unknown): void => {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (records) records.write({ kind: "trouble", process: name, what });
    else console.error(what);
  };
  process.on("unhandledRejection", trouble);
  process.on("uncaughtException", trouble);
  process.on("disconnect", () => process.exit(0));
  process.on("message", async (order: { task: Task } | { note: Note }) => {
    if ("note" in order) return atWork?.hear(order.note);
    const { task } = order;
    const file = openRecordFile<Entry | TroubleRecord>(task.file);
    records = file;
    name = task.process;
    atWork = begin(task, file, tell);
    await atWork.done.catch(trouble);
    atWork = undefined;
    records = undefined;
    file.close();
    tell("done");
  });
  tell("ready");
}
