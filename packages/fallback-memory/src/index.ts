export type { AcceptedWrite } from "./accepted-write.ts";
export type { FallbackOptions, JournalOptions } from "./fallback-options.ts";
export type { MemoryOptions, MemoryTransport } from "./memory-transport.ts";
export { memoryTransport } from "./memory-transport.ts";
export { withFallback } from "./with-fallback.ts";
