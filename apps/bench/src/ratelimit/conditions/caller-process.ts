import type { CallRecord } from "../exactness/record.ts";
import { serveFleet } from "../fleet.ts";
import { type CallerTask, callAll } from "./caller.ts";

serveFleet<CallerTask, never, CallRecord[]>((task) => ({ hear: () => {}, done: callAll(task) }));
