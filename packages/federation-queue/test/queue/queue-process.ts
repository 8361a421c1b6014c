import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Closable } from "@continuum-cache/conformance/servers";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";
import type { FederationQueueOptions } from "../../src/federation-queue-options.ts";

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
  const folder = mkdtempSync(join(tmpdir(), "continuum-cache-queue-"));
  const bundle = join(folder, "child.mjs");
  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dirname, "queue-child.ts")],
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
