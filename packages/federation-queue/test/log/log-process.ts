import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Closable } from "@continuum-cache/conformance/servers";
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";

const program = await bundledProgram(join(import.meta.dirname, "log-child.ts"));

/** A process that appends until it is killed. */
export interface LogProcess extends Closable {
  readonly lines: readonly string[];
  /** The events that the log has accepted. */
  accepted(): readonly number[];
  signal(name: NodeJS.Signals): void;
}

export function logProcesses(): { start(url: string, instanceId: string): LogProcess } {
  return {
    start(url, instanceId) {
      const child = spawn(process.execPath, [program, url, instanceId], { stdio: ["ignore", "pipe", "inherit"] });
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
