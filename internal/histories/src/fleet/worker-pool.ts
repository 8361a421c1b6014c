import type { ChildProcess } from "node:child_process";
import { forkProgram } from "./fork-program.ts";

/** A process that can be given work, told things, and hurt. */
export interface Worker<Task, Note> {
  start(task: Task): void;
  tell(note: Note): void;
  /** Resolves when it has told so, at once when it had before; with `false` when it ended or the time is over. */
  until(kind: string, withinMs: number): Promise<boolean>;
  freeze(): void;
  thaw(): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Processes that stand ready: starting one takes longer than many a fault. */
export interface WorkerPool<Task, Note> {
  take(): Promise<Worker<Task, Note>>;
  /** A worker that is done may work again. */
  giveBack(worker: Worker<Task, Note>): void;
  close(): Promise<void>;
}

/** @param module - The module that calls `serveWorker`: its path without the extension. */
export function createWorkerPool<Task, Note>(module: string): WorkerPool<Task, Note> {
  const idle: Worker<Task, Note>[] = [];
  const all = new Set<Worker<Task, Note>>();
  return {
    async take() {
      const worker = idle.pop() ?? startWorker(module);
      all.add(worker);
      if (!(await worker.until("ready", 60_000))) throw new Error("Expected a worker process to start, and it did not");
      return worker;
    },
    giveBack: (worker) => void idle.push(worker),
    async close() {
      await Promise.all([...all].map((worker) => worker.kill()));
    },
  };
}

/** Tells workers to stop by a note; those that don't are killed. */
export async function endWorkers<Task, Note>(
  workers: readonly Worker<Task, Note>[],
  pool: WorkerPool<Task, Note>,
  stop: Note,
  withinMs: number,
  onTrouble: (what: string) => void,
): Promise<void> {
  for (const worker of workers) worker.tell(stop);
  for (const worker of workers) {
    if (await worker.until("done", withinMs)) pool.giveBack(worker);
    else {
      onTrouble("did not end when it was told to");
      await worker.kill();
    }
  }
}

function startWorker<Task, Note>(module: string): Worker<Task, Note> {
  const child: ChildProcess = forkProgram(module);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  void exited.then(() => process.off("exit", kill));
  let told = new Set<string>();
  const waiting = new Set<() => void>();
  child.on("message", ({ kind }: { readonly kind: string }) => {
    told.add(kind);
    for (const look of waiting) look();
  });
  const send = (order: { task: Task } | { note: Note }): void => {
    if (child.connected) child.send(order);
  };
  return {
    start(task) {
      told = new Set(["ready"]);
      send({ task });
    },
    tell: (note) => send({ note }),
    until(kind, withinMs) {
      return new Promise((resolve) => {
        const end = (isTold: boolean): void => {
          clearTimeout(timer);
          waiting.delete(look);
          resolve(isTold);
        };
        const look = (): void => {
          if (told.has(kind)) end(true);
        };
        const timer = setTimeout(end, withinMs, false);
        waiting.add(look);
        void exited.then(() => end(false));
        look();
      });
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async kill() {
      kill();
      await exited;
    },
  };
}
