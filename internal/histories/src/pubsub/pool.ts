import { join } from "node:path";
import { createWorkerPool, type Worker as FleetWorker, type WorkerPool } from "../fleet/worker-pool.ts";
import type { Note, Task } from "./tasks.ts";

export type Worker = FleetWorker<Task, Note>;
export type Pool = WorkerPool<Task, Note>;

export const createPool = (): Pool => createWorkerPool(join(import.meta.dirname, "worker-process"));
