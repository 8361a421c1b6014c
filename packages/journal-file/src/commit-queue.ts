/** Does one thing at a time, in the order of the calls, and appends that wait side by side in one go. */
export interface CommitQueue {
  /** Resolves when the commit that holds these records has succeeded, and rejects with its error. */
  append(records: readonly Uint8Array[]): Promise<void>;
  /** Runs in its turn, with nothing beside it. */
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is left to do. Never rejects. */
  idle(): Promise<void>;
  /** Rejects all that is under way or waits. What waits is not begun any more; what is under way goes on unseen. */
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

/** @param commit - Makes these records durable, or rejects: then none of the appends that they belong to counts. */
export function createCommitQueue(commit: (records: readonly Uint8Array[]) => Promise<void>): CommitQueue {
  let waiting: (Append | Task)[] = [];
  let underWay: readonly (Append | Task)[] = [];
  let draining: Promise<void> | undefined;

  function enqueue(job: Append | Task): void {
    waiting.push(job);
    draining ??= drain();
  }

  async function drain(): Promise<void> {
    // Whatever else is called in this tick goes along with the first commit.
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
