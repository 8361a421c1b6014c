import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Closable } from "@continuum-cache/conformance/servers";
import { childProgram } from "../child-program.ts";

/** A process that appends until it is killed. */
export interface LogProcess extends Closable {
  readonly lines: readonly string[];
  /** The events that the log has accepted. */
  accepted(): readonly number[];
  signal(name: NodeJS.Signals): void;
}

/** Builds the program before the tests of a file. */
export function logProcesses(): { start(url: string, instanceId: string): LogProcess } {
  const bundle = childProgram(join(import.meta.dirname, "log-child.ts"));

  return {
    start(url, instanceId) {
      const child = spawn(process.execPath, [bundle, url, instanceId], { stdio: ["ignore", "pipe", "inherit"] });
      const lines: string[] = [];
      child.stdout.setEncoding("utf8").on("data", (text: string) => lines.push(...text.split("\n").filter(Boolean)));
      return {
        lines,
        accepted: () => lines.flatMap((line) => (line.startsWith("accepted ") ? [Number(line.slice(9))] : [])),
        signal: (name) => void child.kill(name),
        async close() {
          child.kill("SIGKILL");
        },
      };
    },
  };
}
