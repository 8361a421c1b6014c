import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { forkPrograms } from "../fleet/fork-program.ts";

/** What goes over the wire between a fleet and its processes. */
type Order<Task, Note> = { readonly task: Task } | { readonly note: Note };
type Answer<Note, Result> = { readonly serves: true } | { readonly note: Note } | { readonly result: Result };

export interface FleetOptions<Task, Note> {
  /** The module that calls `serveFleet`, in this folder, without its extension. */
  readonly module: string;
  /** One process for each. */
  readonly tasks: readonly Task[];
  /** Is told what a process tells the others. @param from - Which process. @returns which one is to hear it. */
  readonly route?: (from: number, note: Note) => number;
}

/** Processes at work. */
export interface Fleet<Note, Result> {
  /** What each found, once all are done. Rejects when one ends before. */
  readonly results: Promise<Result[]>;
  tell(to: number, note: Note): void;
  /** Ends all of them at once. Safe to call twice. */
  close(): void;
}

/** Starts a process for each task, all at work at the same time. */
export async function startFleet<Task, Note, Result>(options: FleetOptions<Task, Note>): Promise<Fleet<Note, Result>> {
  const { module, tasks, route } = options;
  const children = await forkPrograms(join(import.meta.dirname, module), tasks.length);
  const close = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", close);
  const tell = (to: number, note: Note): void => {
    if (children[to]?.connected) children[to].send({ note });
  };

  const watch = (
    child: ChildProcess,
    at: number,
  ): { readonly serves: Promise<void>; readonly result: Promise<Result> } => {
    let serves = (): void => {};
    const result = new Promise<Result>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`Process ${at} of ${module} has ended before it was done`)));
      child.on("message", (answer: Answer<Note, Result>) => {
        if ("serves" in answer) serves();
        else if ("note" in answer) tell(route?.(at, answer.note) ?? at, answer.note);
        else resolve(answer.result);
      });
    });
    const served = new Promise<void>((resolve) => {
      serves = resolve;
    });
    return { serves: Promise.race([served, result.then(() => {})]), result };
  };

  const watched = children.map(watch);
  const results = Promise.all(watched.map(({ result }) => result)).finally(() => {
    process.off("exit", close);
    close();
  });
  // The caller that waits for the results gets this error; until then it is not unhandled.
  results.catch(() => {});
  await Promise.all(watched.map(({ serves }) => serves));
  for (const [at, task] of tasks.entries()) children[at]?.send({ task });
  return { results, tell, close };
}

/** What a process of a fleet does with its task. */
export interface Work<Note, Result> {
  /** Hears what it is told while it works. */
  hear(note: Note): void;
  readonly done: Promise<Result>;
}

/** Makes this process one of a fleet. To be called once. */
export function serveFleet<Task, Note, Result>(
  work: (task: Task, pass: (note: Note) => void) => Work<Note, Result>,
): void {
  const tell = (answer: Answer<Note, Result>): void => {
    if (process.connected) process.send?.(answer);
  };
  let atWork: Work<Note, Result> | undefined;
  process.on("message", async (order: Order<Task, Note>) => {
    if ("note" in order) return atWork?.hear(order.note);
    atWork = work(order.task, (note) => tell({ note }));
    tell({ result: await atWork.done });
  });
  process.on("disconnect", () => process.exit(0));
  tell({ serves: true });
}
