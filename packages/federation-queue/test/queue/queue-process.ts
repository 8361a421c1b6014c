import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Closable } from "@continuum-cache/conformance/servers";
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import type { FederationQueueOptions } from "../../src/queue/options.ts";

const program = await bundledProgram(join(import.meta.dirname, "queue-child.ts"));

/** A process that has a queue. */
export interface QueueProcess extends Closable {
  readonly lines: readonly string[];
  /** How it ended, once it has. */
  readonly exited: Promise<number | null>;
  tell(line: string): void;
  kill(): void;
}

export function queueProcesses(): {
  start(url: string, mode: "hold" | "whole" | "outage", options?: FederationQueueOptions): QueueProcess;
} {
  return {
    start(url, mode, options = {}) {
      const child = spawn(process.execPath, [program, url, mode, JSON.stringify(options)], {
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
