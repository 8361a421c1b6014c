import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";

type Bundle = (source: string) => Promise<string>;

const extension = extname(import.meta.filename);
/** From sources, the processes need what reads them. */
const loader = extension === ".ts" ? ["--conditions=@continuum-cache/source", "--import", "tsx"] : [];
let bundleOf: Bundle | undefined;

/** Makes programs start from what `bundle` returns for a source, which takes a tenth of the time. For tests. */
export function startFromBundles(bundle: Bundle): void {
  bundleOf = bundle;
}

/** @param module - The program's path without the extension: it is read from where this module is, `src` or `dist`. */
export function forkProgram(module: string): ChildProcess {
  return fork(`${module}${extension}`, { execArgv: loader, stdio });
}

/** Starts a program so many times. @param module - As of `forkProgram`. */
export async function forkPrograms(module: string, count: number): Promise<ChildProcess[]> {
  const source = `${module}${extension}`;
  const [program, execArgv] = bundleOf ? [await bundleOf(source), []] : [source, loader];
  return Array.from({ length: count }, () => fork(program, { execArgv, stdio }));
}

const stdio = ["ignore", "inherit", "inherit", "ipc"] satisfies ("ignore" | "inherit" | "ipc")[];
