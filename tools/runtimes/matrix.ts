import type { SuiteReport } from "./inside/bare-runner.ts";
import { type Installation, whyAbsent } from "./installed-runtimes.ts";
import { runSuite } from "./run-suite.ts";
import type { Runtime } from "./runtimes.ts";
import type { Subject } from "./subjects.ts";

/** What stands in one place of the table: a report, or why there is none. */
export type Cell = SuiteReport | { readonly notClaimed: string } | { readonly notRun: string };

const perRequest = "a Worker's sockets belong to one request, so no connection can be kept for the next one";

/** Runs the suite of one package in one runtime, where that is claimed and possible. */
export async function runCell(
  subject: Pick<Subject, "file" | "needsSockets">,
  runtime: Runtime,
  installation: Installation,
): Promise<Cell> {
  if (subject.needsSockets && !runtime.keepsSockets) return { notClaimed: perRequest };
  const reason = whyAbsent(runtime, installation);
  if (reason !== undefined) return { notRun: reason };
  return await runSuite(subject.file, runtime, "folder" in installation ? installation.folder : "");
}
