export type { MemoryOptions } from "./memory-transport.ts";
export { memoryTransport } from "./memory-transport.ts";
