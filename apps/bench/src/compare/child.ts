import type { ChildProcess } from "node:child_process";
import { forkProgram } from "../fleet/fork-program.ts";

/** A program in a process of its own that answers what it is asked, one question after the other. */
export interface Child {
  /** @throws Error with the program's own text when it fails, or has ended. */
  ask<Answer>(question: unknown): Promise<Answer>;
  /** Ends the process, and resolves when it is gone. */
  end(): Promise<void>;
}

type Reply = { readonly answer: unknown } | { readonly error: string };

/** Processes that are still alive when this one ends would stay for ever. */
const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

/** @param module - The path of a program that calls `answerParent`, without its extension. */
export function startChild(module: string): Child {
  const child = forkProgram(module);
  alive.add(child);
  let hear: ((reply: Reply) => void) | undefined;
  child.on("message", (reply: Reply) => hear?.(reply));
  const exited = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      alive.delete(child);
      hear?.({ error: `${module} has ended (${signal ?? code})` });
      resolve();
    });
  });
  return {
    ask: <Answer>(question: unknown) =>
      new Promise<Answer>((resolve, reject) => {
        hear = (reply) => ("error" in reply ? reject(new Error(reply.error)) : resolve(reply.answer as Answer));
        if (child.connected) child.send({ question });
        else hear({ error: `${module} has ended` });
      }),
    async end() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Makes this process the other end of `startChild`. It ends with its parent. */
export function answerParent<Question, Answer>(answer: (question: Question) => Promise<Answer>): void {
  process.on("disconnect", () => process.exit(0));
  process.on("message", async ({ question }: { readonly question: Question }) => {
    const reply: Reply = await answer(question).then(
      (given) => ({ answer: given ?? null }),
      (error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
    process.send?.(reply);
  });
}
