import { publishWork } from "./publish-work.ts";
import { openRecordFile, type RecordFile } from "./record-file.ts";
import { subscribeWork } from "./subscribe-work.ts";
import type { Note, Task, Told } from "./tasks.ts";
import type { Work } from "./work.ts";

/** One of the processes of a run: it does one task after another. */
const tell = (told: Told): void => {
  if (process.connected) process.send?.(told);
};
let records: RecordFile | undefined;
let name = "idle";
let atWork: Work | undefined;

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
  const file = openRecordFile(task.file);
  records = file;
  name = task.process;
  atWork = task.kind === "publish" ? publishWork(task, file) : subscribeWork(task, file, tell);
  await atWork.done.catch(trouble);
  atWork = undefined;
  records = undefined;
  file.close();
  tell({ kind: "done" });
});
tell({ kind: "ready" });
