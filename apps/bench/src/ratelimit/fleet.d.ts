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
export declare function startFleet<Task, Note, Result>(options: FleetOptions<Task, Note>): Promise<Fleet<Note, Result>>;
/** What a process of a fleet does with its task. */
export interface Work<Note, Result> {
  /** Hears what it is told while it works. */
  hear(note: Note): void;
  readonly done: Promise<Result>;
}
/** Makes this process one of a fleet. To be called once. */
export declare function serveFleet<Task, Note, Result>(
  work: (task: Task, pass: (note: Note) => void) => Work<Note, Result>,
): void;
//# sourceMappingURL=fleet.d.ts.map
