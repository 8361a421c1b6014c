import { serveSessions } from "../fleet/serve.ts";
import { memberWork } from "./member-work.ts";
import type { LogRecord } from "./record.ts";
import type { LogTask } from "./tasks.ts";

/** One of the processes of a history. */
serveSessions<LogTask, LogRecord>((task, { records }) => memberWork(task, records));
