import { serveSessions } from "../fleet/serve.ts";
import { publishWork } from "./publish-work.ts";
import type { PubSubRecord } from "./record.ts";
import { subscribeWork } from "./subscribe-work.ts";
import type { PubSubTask } from "./tasks.ts";

/** One of the processes of a history. */
serveSessions<PubSubTask, PubSubRecord>((task, { records }) =>
  task.kind === "publish" ? publishWork(task, records) : subscribeWork(task, records),
);
