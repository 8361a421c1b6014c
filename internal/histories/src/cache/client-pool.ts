import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { ClientAnswer, ClientCommand } from "./client-process.ts";
import type { ClientTask } from "./client-session.ts";
import type { ClientLog } from "./history.ts";

/** The processes that host the clients; each hosts many, one after the other and at once. */
export interface ClientPool {
  /** @param at - Which process; clients of one history take different ones. */
  open(at: number, session: string, task: ClientTask): Promise<RemoteClient>;
  /** Errors that nobody heard in any of the processes, since the last time. */
  takeUnhandled(): string[];
  /** Lets go of the processes and waits until they are gone. */
  close(): Promise<void>;
}

/** A client in another process. */
export interface RemoteClient {
  go(): Promise<void>;
  settle(withinMs: number): Promise<boolean>;
  finish(): Promise<ClientLog>;
}

export interface ClientPoolOptions {
  readonly size: number;
  /** The module that calls `serveClients`, and how Node is to be started for it. */
  readonly module: string;
  readonly execArgv: readonly string[];
}

/** A process may be busy, but not for ever. */
const answerWithinMs = 60_000;

export async function startClientPool({ size, module, execArgv }: ClientPoolOptions): Promise<ClientPool> {
  const unhandled: string[] = [];
  const children = await Promise.all(
    Array.from({ length: size }, () => startClientProcess(module, execArgv, (text) => unhandled.push(text))),
  );
  return {
    async open(at, session, task) {
      const child = children[at % size] as ClientProcess;
      await child.ask({ session, does: "open", task });
      return {
        go: async () => void (await child.ask({ session, does: "go" })),
        settle: async (withinMs) => (await child.ask({ session, does: "settle", withinMs })) === true,
        finish: async () => (await child.ask({ session, does: "finish" })) as ClientLog,
      };
    },
    takeUnhandled: () => unhandled.splice(0),
    async close() {
      await Promise.all(children.map((child) => child.close()));
    },
  };
}

type WithoutId<Command> = Command extends unknown ? Omit<Command, "id"> : never;

interface ClientProcess {
  ask(command: WithoutId<ClientCommand>): Promise<unknown>;
  close(): Promise<void>;
}

async function startClientProcess(
  module: string,
  execArgv: readonly string[],
  onUnhandled: (text: string) => void,
): Promise<ClientProcess> {
  const child: ChildProcess = fork(module, { execArgv: [...execArgv], stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const exited = once(child, "exit");
  let asked = 0;
  let printed = "";
  let isClosing = false;
  child.stderr?.on("data", (chunk: Buffer) => {
    printed = (printed + chunk.toString("utf8")).slice(-4_000);
  });
  const gone = (): Error => new Error(`A client process has ended. It printed:\n${printed.trim()}`);

  const serves = new Promise<void>((resolve, reject) => {
    child.once("exit", () => reject(gone()));
    child.on("message", (answer: ClientAnswer) => {
      if ("serves" in answer) return resolve();
      if ("unhandled" in answer) return onUnhandled(answer.unhandled);
      const waiter = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ("error" in answer) waiter?.reject(new Error(answer.error));
      else waiter?.resolve(answer.value);
    });
  });
  child.once("exit", () => {
    if (isClosing) return;
    for (const waiter of waiting.values()) waiter.reject(gone());
    waiting.clear();
  });
  await serves;

  return {
    ask(command) {
      const id = asked++;
      return new Promise((resolve, reject) => {
        if (!child.connected) return reject(gone());
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`A client process did not answer "${command.does}" within ${answerWithinMs} ms`));
        }, answerWithinMs);
        const settle =
          <Value>(end: (value: Value) => void) =>
          (value: Value) => {
            clearTimeout(timer);
            end(value);
          };
        waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
        child.send({ id, ...command });
      });
    },
    async close() {
      isClosing = true;
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill("SIGKILL"), 2_000);
      await exited;
      clearTimeout(timer);
    },
  };
}
