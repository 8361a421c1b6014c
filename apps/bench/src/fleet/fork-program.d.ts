import { type ChildProcess } from "node:child_process";
/** @param module - The program's path without the extension: it is read from where this module is, `src` or `dist`. */
export declare function forkProgram(module: string): ChildProcess;
//# sourceMappingURL=fork-program.d.ts.map
