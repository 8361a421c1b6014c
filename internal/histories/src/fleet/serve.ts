import { recordedFromMs, type StallMeter, startStallMeter } from "../checking/stalls.ts";
import { openRecordFile, type RecordFile } from "./record-file.ts";

/** One piece of work in a worker process: the runner calls its methods by name. `stop` is the last one. */
export interface Session {
  stop(): unknown;
}

/** What every task says. */
export interface TaskBase {
  readonly process: string;
  /** Where the session's records go; absent: nowhere. */
  readonly file?: string;
}

/** Where a session writes its records. */
export type Records<Entry> = Pick<RecordFile<Entry>, "write">;

/** What a worker process gives its sessions. */
export interface Host<Entry> {
  readonly records: Records<Entry>;
  readonly stalls: StallMeter;
  /** Sends something to the runner, which knows what to do with it. */
  emit(event: unknown): void;
}

/** What the runner sends: a session to open, or a call of a session's method. */
export interface Request {
  readonly id: number;
  readonly session: number;
  readonly call: string;
  readonly args: readonly unknown[];
}

/** What a worker process sends. */
export type Answer =
  | { readonly serves: true }
  | { readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly session: number; readonly event: unknown }
  | { readonly unhandled: string };

interface OpenSession {
  readonly process: string;
  readonly file: RecordFile<unknown> | undefined;
  readonly calls: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
}

/** Makes this process a worker: it works on the sessions that the runner opens. To be called once. */
export function serveSessions<Task extends TaskBase, Entry>(
  open: (task: Task, host: Host<Entry>) => Session | Promise<Session>,
): void {
  const sessions = new Map<number, OpenSession>();
  const send = (answer: Answer): void => {
    if (process.connected) process.send?.(answer);
  };
  /** Every session of this process stood still, and each has had an error that no promise covers. */
  const writeAll = (record: (process: string) => object): number => {
    const files = [...sessions.values()].filter(({ file }) => file !== undefined);
    for (const { file, process } of files) file?.write(record(process));
    return files.length;
  };
  const stalls = startStallMeter((ms) => {
    const atMs = Date.now();
    if (ms >= recordedFromMs) writeAll((process) => ({ kind: "stall", process, atMs, ms: Math.round(ms) }));
  });
  const unhandled = (error: unknown): void => {
    const what = textOf(error);
    if (writeAll((process) => ({ kind: "trouble", process, what })) === 0) send({ unhandled: what });
  };

  const begin = async (id: number, task: Task): Promise<void> => {
    const file = task.file === undefined ? undefined : openRecordFile<Entry>(task.file);
    const write = (record: Entry): void => file?.write(record);
    const host: Host<Entry> = { records: { write }, stalls, emit: (event) => send({ session: id, event }) };
    const session: OpenSession = { process: task.process, file: file as RecordFile<unknown> | undefined, calls: {} };
    sessions.set(id, session);
    sessions.set(id, { ...session, calls: (await open(task, host)) as unknown as OpenSession["calls"] });
  };
  const obey = async ({ session: id, call, args }: Request): Promise<unknown> => {
    if (call === "open") return begin(id, args[0] as Task);
    const session = sessions.get(id);
    const method = session?.calls[call];
    if (!session || !method) throw new Error(`Expected an open session with ${call}, got none`);
    if (call !== "stop") return method(...args);
    try {
      return await method();
    } finally {
      sessions.delete(id);
      session.file?.close();
    }
  };

  process.on("message", (request: Request) => {
    const { id } = request;
    obey(request).then(
      (value) => send({ id, value }),
      (error: unknown) => send({ id, error: textOf(error) }),
    );
  });
  process.on("unhandledRejection", unhandled);
  process.on("uncaughtException", unhandled);
  process.on("disconnect", () => process.exit(0));
  send({ serves: true });
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
