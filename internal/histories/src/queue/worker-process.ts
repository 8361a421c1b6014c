import { serveSessions } from "../fleet/serve.ts";
import { consumeWork } from "./consume-work.ts";
import { produceWork } from "./produce-work.ts";
import type { QueueRecord } from "./record.ts";
import type { QueueTask } from "./tasks.ts";

/** One of the processes of a history. */
serveSessions<QueueTask, QueueRecord>((task, { records }) =>
  task.kind === "produce" ? produceWork(task, records) : consumeWork(task, records),
);
