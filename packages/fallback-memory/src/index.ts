export type { AcceptedWrite } from "./accepted-write.ts";
export type { FallbackOptions, JournalOptions } from "./fallback/fallback-options.ts";
export type { JournalStore } from "./journal-store.ts";
export type { MemoryOptions, MemoryTransport } from "./memory-transport.ts";
export { memoryTransport } from "./memory-transport.ts";
export { withFallback } from "./with-fallback.ts";
