import { serveWorker } from "../fleet/serve-worker.ts";
import { memberWork } from "./member-work.ts";
import type { LogRecord } from "./record.ts";
import type { LogNote, LogTask } from "./tasks.ts";

/** One of the processes of a run: it does one task after another. */
serveWorker<LogTask, LogNote, LogRecord>(memberWork);
