import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommonRecord } from "../checking/records.ts";
import { recordedFromMs, startStallMeter } from "../checking/stalls.ts";
import { readRecords } from "./record-file.ts";
import type { Session, TaskBase } from "./serve.ts";
import type { Remote, Worker, WorkerPool } from "./worker-pool.ts";

/** The processes of a history, as faults see them. */
export interface Targets {
  /** The name under which a place's process writes its records now. */
  nameOf(place: string): string;
  freeze(place: string): void;
  thaw(place: string): void;
  /** SIGKILL; resolves when the process is gone. */
  kill(place: string): Promise<void>;
  /** Starts another process in the place of a killed one. */
  replace(place: string): Promise<void>;
}

/** One process of a history. */
export interface Member<Task extends TaskBase, Api extends Session> {
  readonly task: Task & { readonly file: string };
  readonly session: Remote<Api>;
}

/**
 * The processes of one history. Each place is always taken: by its first process, or by the one that replaced it. The
 * team also collects the records of all processes and of the runner.
 */
export interface Team<Task extends TaskBase, Api extends Session, Entry> {
  readonly targets: Targets;
  start(places: readonly string[]): Promise<void>;
  /** The processes that are there now, of the places whose names begin with a prefix. */
  members(prefix: string): readonly Member<Task, Api>[];
  /** Calls a method of all these processes at once. One that rejects is recorded as trouble. */
  callAll(prefix: string, call: (member: Member<Task, Api>) => Promise<unknown>): Promise<void>;
  /** Stops these processes one after another and gives them back; kills those that do not stop. */
  stop(prefix: string): Promise<void>;
  /** Writes down what the runner did or saw. */
  note(record: Entry | CommonRecord): void;
  records(): (Entry | CommonRecord)[];
  close(): void;
}

/** A task without what the team adds. */
export type TaskDetails<Task> = Task extends unknown ? Omit<Task, "process" | "file"> : never;

export interface TeamOptions<Task extends TaskBase, Api extends Session> {
  readonly pool: WorkerPool<Task, Api>;
  /** Where the processes write; it is emptied. */
  readonly folder: string;
  /**
   * What a process in a place is to do.
   *
   * @param nth - Another number for each process.
   * @param killed - The member that the process replaces.
   */
  taskOf(place: string, nth: number, killed: Member<Task, Api> | undefined): TaskDetails<Task>;
}

export function createTeam<Task extends TaskBase, Api extends Session, Entry>(
  options: TeamOptions<Task, Api>,
): Team<Task, Api, Entry> {
  const { pool, folder, taskOf } = options;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const present = new Map<string, Member<Task, Api> & { readonly worker: Worker<Task, Api> }>();
  const coming = new Map<string, Promise<void>>();
  const files: string[] = [];
  const own: (Entry | CommonRecord)[] = [];
  const stalls = startStallMeter((ms) => {
    if (ms >= recordedFromMs) own.push({ kind: "stall", process: "runner", atMs: Date.now(), ms: Math.round(ms) });
  });
  const trouble = (process: string, error: unknown): void =>
    void own.push({ kind: "trouble", process, what: error instanceof Error ? error.message : String(error) });

  const fill = async (place: string, generation: number): Promise<void> => {
    const killed = present.get(place);
    const nth = files.length;
    const process = generation === 0 ? place : `${place}.${generation}`;
    const file = join(folder, `${nth}-${process}.jsonl`);
    // A process that is killed at once leaves an empty file.
    writeFileSync(file, "");
    files.push(file);
    const worker = await pool.take();
    const task = { ...taskOf(place, nth, killed), process, file } as unknown as Task & {
      readonly file: string;
    };
    present.set(place, { task, worker, session: await worker.open(task) });
  };
  const at = (place: string) => {
    const found = present.get(place);
    if (!found) throw new Error(`Expected a process in place ${place}, got none`);
    return found;
  };
  const members = (prefix: string) => [...present].filter(([place]) => place.startsWith(prefix)).map(([, one]) => one);

  return {
    targets: {
      nameOf: (place) => at(place).task.process,
      freeze: (place) => at(place).worker.freeze(),
      thaw: (place) => at(place).worker.thaw(),
      async kill(place) {
        await coming.get(place);
        await at(place).worker.kill();
      },
      replace(place) {
        const filling = fill(place, files.length);
        coming.set(place, filling);
        return filling;
      },
    },
    async start(places) {
      await Promise.all(places.map((place) => fill(place, 0)));
    },
    members,
    async callAll(prefix, call) {
      await Promise.all(members(prefix).map((one) => call(one).catch((error) => trouble(one.task.process, error))));
    },
    async stop(prefix) {
      for (const [place, { task, worker, session }] of [...present]) {
        if (!place.startsWith(prefix)) continue;
        present.delete(place);
        try {
          await session.call("stop" as never, ...([] as never));
          pool.giveBack(worker);
        } catch (error) {
          trouble(task.process, error);
          await worker.kill();
        }
      }
    },
    note: (record) => void own.push(record),
    records() {
      for (const what of pool.takeUnhandled()) trouble("a process", new Error(what));
      return [...files.flatMap((file) => readRecords<Entry | CommonRecord>(file)), ...own];
    },
    close: () => stalls.stop(),
  };
}
