/**
 * The code that a cache loads when it is first needed. It is one file: of several ones a bundler makes chunks for each
 * combination that shares code, and their lists of imports and exports would be loaded at once.
 */
export { createAcrossProcesses } from "./across-processes.ts";
export { deletePatternOf } from "./delete-pattern-call.ts";
export { createFreshCalls } from "./freshness/fresh-calls.ts";
export { createOpening } from "./opened-value.ts";
export { keysOf } from "./scan-keys.ts";
export { readInfo } from "./server-info.ts";
export { createTagged } from "./tagged.ts";
