export type { MemoryOptions, MemoryTransport } from "./memory-transport.ts";
export { memoryTransport } from "./memory-transport.ts";
export type { AppliedWrite } from "./replication/canonical-write.ts";
