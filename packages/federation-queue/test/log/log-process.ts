import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Closable } from "@continuum-cache/conformance/servers";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";

/** A process that appends until it is killed. */
export interface LogProcess extends Closable {
  readonly lines: readonly string[];
  /** The numbers of the events that it was told are there. */
  accepted(): readonly number[];
  signal(name: NodeJS.Signals): void;
}

/** Makes the program before the tests of a file. */
export function logProcesses(): { start(url: string, instanceId: string): LogProcess } {
  const folder = mkdtempSync(join(tmpdir(), "continuum-cache-log-"));
  const bundle = join(folder, "child.mjs");
  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dirname, "log-child.ts")],
      outfile: bundle,
      bundle: true,
      platform: "node",
      format: "esm",
      conditions: ["@continuum-cache/source"],
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: "error",
    });
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
