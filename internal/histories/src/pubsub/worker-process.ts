import { serveWorker } from "../fleet/serve-worker.ts";
import { publishWork } from "./publish-work.ts";
import type { PubSubRecord } from "./record.ts";
import { subscribeWork } from "./subscribe-work.ts";
import type { Note, Task } from "./tasks.ts";

/** One of the processes of a run: it does one task after another. */
serveWorker<Task, Note, PubSubRecord>((task, records, tell) =>
  task.kind === "publish" ? publishWork(task, records) : subscribeWork(task, records, ({ kind }) => tell(kind)),
);
