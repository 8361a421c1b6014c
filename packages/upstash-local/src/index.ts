export type { Fault } from "./faults.ts";
export type { UpstashLimits } from "./limits.ts";
export type { UpstashLocalOptions } from "./options.ts";
export type { UpstashLocal } from "./server.ts";
export { startUpstashLocal } from "./server.ts";
