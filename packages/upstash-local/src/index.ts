export type { Fault } from "./faults.ts";
export type { UpstashLimits } from "./limits.ts";
export type { UpstashLocal } from "./server.ts";
export { startUpstashLocal } from "./server.ts";
export type { UpstashLocalOptions } from "./upstash-local-options.ts";
