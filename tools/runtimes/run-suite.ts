import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { startSite } from "@continuum-cache/runtime-site/start-site";
import { attemptCommand, type CommandResult } from "../publishing/run-command.ts";
import { bundleSuite, reportIn } from "./bundle-suite.ts";
import type { SuiteReport } from "./inside/bare-runner.ts";
import type { Runtime } from "./runtimes.ts";
import { askWorker } from "./workerd.ts";

const root = resolve(import.meta.dirname, "../..");

/** How long a suite may take in a runtime, from its start until its process has ended. */
const suiteTimeoutMs = 180_000;

/**
 * Runs a test file in a runtime, against servers of its own. Whatever keeps it from a report counts as a failure, as
 * does a process that fails after it, or does not end by itself.
 */
export async function runSuite(file: string, runtime: Runtime, installed: string): Promise<SuiteReport> {
  const { site, close } = await startSite();
  const SITE = JSON.stringify({ ...site, keepsSockets: runtime.keepsSockets });
  try {
    const bundle = await bundleSuite(file, runtime);
    if (runtime.command === undefined) return JSON.parse(await askWorker(bundle, { SITE }));
    return await runInProcess(runtime.command(installed), bundle, SITE);
  } catch (error) {
    return { passed: 0, skipped: [], failed: [{ title: "the run", error: (error as Error).message }] };
  } finally {
    await close();
  }
}

async function runInProcess(command: readonly string[], bundle: string, SITE: string): Promise<SuiteReport> {
  const cache = join(root, ".cache", "runtimes");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "suite-"));
  try {
    const program = join(folder, "suite.mjs");
    writeFileSync(program, bundle);
    const env = { SITE, PATH: process.env["PATH"] ?? "", HOME: folder, DENO_DIR: folder, DENO_NO_UPDATE_CHECK: "1" };
    return reportOf(await attemptCommand([...command, program], { cwd: folder, env, timeoutMs: suiteTimeoutMs }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function reportOf({ status, stdout, stderr }: CommandResult): SuiteReport {
  const report: SuiteReport = JSON.parse(reportIn(stdout) ?? '{ "passed": 0, "failed": [], "skipped": [] }');
  if (status === 0 && reportIn(stdout) !== undefined) return report;
  const ending = status === null ? "did not end" : `ended with ${status}`;
  const error = `The process ${ending}: ${stderr.slice(-2_000)}`;
  return { ...report, failed: [...report.failed, { title: "the end of the process", error }] };
}
