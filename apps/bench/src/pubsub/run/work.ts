import type { Note } from "./tasks.ts";

/** What a process is doing. */
export interface Work {
  hear(note: Note): void;
  readonly done: Promise<void>;
}
