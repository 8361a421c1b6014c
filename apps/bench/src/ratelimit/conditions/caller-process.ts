import type { CallRecord } from "@continuum-cache/histories/limiter";
import { serveFleet } from "../fleet.ts";
import { type CallerTask, callAll } from "./caller.ts";

serveFleet<CallerTask, never, CallRecord[]>((task) => ({ hear: () => {}, done: callAll(task) }));
