/** Runs one task at a time, in the order of the calls. Adjacent appends that wait are committed together. */
export interface CommitQueue {
  /** Resolves when the commit that holds these records has succeeded, and rejects with its error. */
  append(records: readonly Uint8Array[]): Promise<void>;
  /** Runs a task in its turn, alone. */
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Resolves when the queue is empty. Never rejects. */
  idle(): Promise<void>;
  /** Rejects all tasks. Waiting tasks never start; a running task goes on, and its outcome is ignored. */
  abandon(error: Error): void;
}

interface Append {
  readonly records: readonly Uint8Array[];
  resolve(): void;
  reject(error: unknown): void;
}

interface Task {
  /** Settles its own promise; never rejects. */
  perform(): Promise<void>;
  reject(error: unknown): void;
}

/** @param commit - Makes these records durable; if it rejects, all of their appends reject. */
export function createCommitQueue(commit: (records: readonly Uint8Array[]) => Promise<void>): CommitQueue {
  let waiting: (Append | Task)[] = [];
  let underWay: readonly (Append | Task)[] = [];
  let draining: Promise<void> | undefined;

  function enqueue(job: Append | Task): void {
    waiting.push(job);
    draining ??= drain();
  }

  async function drain(): Promise<void> {
    // All appends of this tick are in the first commit.
    await undefined;
    while (waiting.length > 0) {
      const [first] = waiting;
      await (first && "perform" in first ? perform(first) : commitWaiting());
    }
    underWay = [];
    draining = undefined;
  }

  function perform(task: Task): Promise<void> {
    underWay = waiting.splice(0, 1);
    return task.perform();
  }

  async function commitWaiting(): Promise<void> {
    const nextTask = waiting.findIndex((job) => "perform" in job);
    const jobs = waiting.splice(0, nextTask === -1 ? waiting.length : nextTask);
    const appends = jobs.filter((job): job is Append => "records" in job);
    underWay = appends;
    try {
      await commit(appends.flatMap(({ records }) => records));
      for (const append of appends) append.resolve();
    } catch (error) {
      for (const append of appends) append.reject(error);
    }
  }

  return {
    append: (records) => new Promise((resolve, reject) => enqueue({ records, resolve, reject })),
    run: (task) =>
      new Promise((resolve, reject) => enqueue({ perform: async () => task().then(resolve, reject), reject })),
    idle: async () => draining,
    abandon(error) {
      for (const { reject } of [...underWay, ...waiting]) reject(error);
      waiting = [];
    },
  };
}
