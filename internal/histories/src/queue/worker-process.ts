import { serveWorker } from "../fleet/serve-worker.ts";
import { consumeWork } from "./consume-work.ts";
import { produceWork } from "./produce-work.ts";
import type { QueueRecord } from "./record.ts";
import type { QueueNote, QueueTask } from "./tasks.ts";

/** One of the processes of a run: it does one task after another. */
serveWorker<QueueTask, QueueNote, QueueRecord>((task, records, tell) =>
  task.kind === "produce" ? produceWork(task, records, tell) : consumeWork(task, records, tell),
);
