import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import { afterEach, beforeAll } from "vitest";

/** A child process and what it has said. */
export interface JournalProcess {
  readonly process: ChildProcess;
  readonly lines: string[];
  /** Resolves with the first line that matches; rejects when the process ends before. */
  line(pattern: RegExp): Promise<string>;
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
  /** Kills it, without a chance to tidy up, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts programs of this folder in processes of their own, from the sources as they are: no build is needed. */
export function journalProcesses(program = "file-journal-child.ts") {
  let bundle = "";
  let started: JournalProcess[] = [];

  beforeAll(async () => {
    bundle = await bundledProgram(join(import.meta.dirname, program));
  });
  afterEach(async () => {
    await Promise.all(started.map((each) => each.kill()));
    started = [];
  });

  return {
    /** @param wrap - Puts another command in front: `["strace", "-f"]`. */
    start(
      args: readonly string[],
      wrap: readonly string[] = [],
      options: Pick<SpawnOptions, "env"> = {},
    ): JournalProcess {
      const [command = "", ...rest] = [...wrap, process.execPath, bundle, ...args];
      const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"], detached: true, ...options });
      const journalProcess = watched(child);
      started.push(journalProcess);
      return journalProcess;
    },
  };
}

function watched(child: ChildProcess): JournalProcess {
  const lines: string[] = [];
  let rest = "";
  const closed = once(child, "close");
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    child.emit("lines");
  });
  return {
    process: child,
    lines,
    ended: closed.then(([code]) => code),
    async line(pattern) {
      for (;;) {
        const found = lines.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        const isOver = await Promise.race([once(child, "lines").then(() => false), closed.then(() => true)]);
        if (isOver && !lines.some((line) => pattern.test(line))) throw new Error(`ended: ${lines.join(", ")}`);
      }
    },
    async kill() {
      // The whole group: what stands in front of it would leave it behind.
      if (child.pid && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGKILL");
      await closed;
    },
  };
}
