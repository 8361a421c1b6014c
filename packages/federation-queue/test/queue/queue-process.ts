import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Closable } from "@continuum-cache/conformance/servers";
import type { FederationQueueOptions } from "../../src/queue/options.ts";
import { childProgram } from "../child-program.ts";

/** A process that has a queue. */
export interface QueueProcess extends Closable {
  readonly lines: readonly string[];
  /** How it ended, once it has. */
  readonly exited: Promise<number | null>;
  tell(line: string): void;
  kill(): void;
}

/** Makes the program before the tests of a file. */
export function queueProcesses(): {
  start(url: string, mode: "hold" | "whole" | "outage", options?: FederationQueueOptions): QueueProcess;
} {
  const bundle = childProgram(join(import.meta.dirname, "queue-child.ts"));

  return {
    start(url, mode, options = {}) {
      const child = spawn(process.execPath, [bundle, url, mode, JSON.stringify(options)], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      const lines: string[] = [];
      child.stdout.setEncoding("utf8").on("data", (text: string) => lines.push(...text.split("\n").filter(Boolean)));
      const exited = once(child, "close").then(([code]) => code as number | null);
      return {
        lines,
        exited,
        tell: (line) => void child.stdin.write(`${line}\n`),
        kill: () => void child.kill("SIGKILL"),
        async close() {
          child.kill("SIGKILL");
          await exited;
        },
      };
    },
  };
}
