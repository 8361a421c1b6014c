import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { answerWithinMs, unlessHung } from "./patience.ts";
import type { Answer, Request, Session, TaskBase } from "./serve.ts";

/** A session in another process. */
export interface Remote<Api extends Session> {
  /** Rejects when the method does, or when the process has ended. */
  call<Name extends Extract<keyof Api, string>>(
    name: Name,
    ...args: ArgumentsOf<Api[Name]>
  ): Promise<ResultOf<Api[Name]>>;
}
type ArgumentsOf<Method> = Method extends (...args: infer Args) => unknown ? Args : never;
type ResultOf<Method> = Method extends (...args: never[]) => infer Result ? Awaited<Result> : never;

/** A worker process, which can also be hurt. */
export interface Worker<Task extends TaskBase, Api extends Session> {
  /** @param onEvent - Is called with what the session emits. */
  open(task: Task, onEvent?: (event: unknown) => void): Promise<Remote<Api>>;
  freeze(): void;
  thaw(): void;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Processes that stand ready, because to start one takes longer than many a fault. */
export interface WorkerPool<Task extends TaskBase, Api extends Session> {
  take(): Promise<Worker<Task, Api>>;
  /** Makes a worker whose sessions have stopped available again. */
  giveBack(worker: Worker<Task, Api>): void;
  /** Errors that no promise covers, from all processes, since the last time. */
  takeUnhandled(): string[];
  close(): Promise<void>;
}

const extension = extname(import.meta.filename);
/** From sources, the processes need what reads TypeScript. */
const execArgv = extension === ".ts" ? ["--conditions=@continuum-cache/source", "--import", "tsx"] : [];
let bundled: ((source: string) => Promise<string>) | undefined;

/** Makes processes start from what `bundle` returns for a source, which takes a tenth of the time. For tests. */
export function startFromBundles(bundle: (source: string) => Promise<string>): void {
  bundled = bundle;
}

/** @param module - The path of the module that calls `serveSessions`, without its extension. */
export function createWorkerPool<Task extends TaskBase, Api extends Session>(module: string): WorkerPool<Task, Api> {
  const idle: Worker<Task, Api>[] = [];
  const all = new Set<Worker<Task, Api>>();
  const unhandled: string[] = [];
  return {
    async take() {
      const worker = idle.pop() ?? (await startWorker<Task, Api>(module, (text) => unhandled.push(text)));
      all.add(worker);
      return worker;
    },
    giveBack: (worker) => void idle.push(worker),
    takeUnhandled: () => unhandled.splice(0),
    async close() {
      await Promise.all([...all].map((worker) => worker.kill()));
    },
  };
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The calls of one process that wait for their answers. */
function createCalls(child: ChildProcess, onUnhandled: (text: string) => void) {
  const waiting = new Map<number, Waiter>();
  const listeners = new Map<number, (event: unknown) => void>();
  const counts = { calls: 0, sessions: 0 };
  let printed = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    printed = (printed + chunk.toString("utf8")).slice(-4_000);
  });
  const gone = (): Error => new Error(`A worker process has ended. It printed:\n${printed.trim()}`);
  child.once("exit", () => {
    for (const waiter of waiting.values()) waiter.reject(gone());
    waiting.clear();
  });
  child.on("message", (answer: Answer) => {
    if ("serves" in answer) return;
    if ("unhandled" in answer) return onUnhandled(answer.unhandled);
    if ("event" in answer) return listeners.get(answer.session)?.(answer.event);
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) waiter?.resolve(answer.value);
    else waiter?.reject(new Error(answer.error));
  });
  const call = (session: number, name: string, args: readonly unknown[]): Promise<unknown> => {
    const id = counts.calls++;
    const answered = new Promise((resolve, reject) => {
      if (!child.connected || child.exitCode !== null) return reject(gone());
      waiting.set(id, { resolve, reject });
      const request: Request = { id, session, call: name, args };
      child.send(request);
    });
    return unlessHung(`"${name}" in a worker process`, answered);
  };
  return {
    gone,
    async open(task: unknown, onEvent: (event: unknown) => void) {
      const session = counts.sessions++;
      listeners.set(session, onEvent);
      await call(session, "open", [task]);
      return async (name: string, args: readonly unknown[]) => {
        const value = await call(session, name, args);
        if (name === "stop") listeners.delete(session);
        return value;
      };
    },
  };
}

async function startWorker<Task extends TaskBase, Api extends Session>(
  module: string,
  onUnhandled: (text: string) => void,
): Promise<Worker<Task, Api>> {
  const source = `${module}${extension}`;
  const child = fork(bundled ? await bundled(source) : source, {
    execArgv: bundled ? [] : execArgv,
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  void exited.then(() => process.off("exit", kill));
  const calls = createCalls(child, onUnhandled);
  const serves = new Promise<void>((resolve, reject) => {
    child.once("exit", () => reject(calls.gone()));
    child.on("message", (answer: Answer) => {
      if ("serves" in answer) resolve();
    });
  });
  await unlessHung("The start of a worker process", serves, answerWithinMs);
  return {
    async open(task, onEvent = () => {}) {
      const call = await calls.open(task, onEvent);
      return { call: (name, ...args) => call(name, args) as ReturnType<Remote<Api>["call"]> as never };
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async kill() {
      kill();
      await exited;
    },
  };
}
