export type { MemoryOptions, MemoryTransport } from "./memory-transport.ts";
export { memoryTransport } from "./memory-transport.ts";
export type { AcceptedWrite } from "./replication/accepted-write.ts";
