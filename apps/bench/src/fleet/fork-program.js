import { fork } from "node:child_process";
import { extname } from "node:path";

const extension = extname(import.meta.filename);
/** From sources, the processes need what reads them. */
const execArgv = extension === ".ts" ? ["--conditions=@continuum-cache/source", "--import", "tsx"] : [];
/** @param module - The program's path without the extension: it is read from where this module is, `src` or `dist`. */
export function forkProgram(module) {
  return fork(`${module}${extension}`, { execArgv, stdio: ["ignore", "inherit", "inherit", "ipc"] });
}
//# sourceMappingURL=fork-program.js.map
