export type { JournalStore } from "@continuum-cache/core/kit";
export type { AppliedWrite, MemoryOptions, MemoryTransport } from "@continuum-cache/transport-memory";
export { memoryTransport } from "@continuum-cache/transport-memory";
export type { FallbackOptions, JournalOptions } from "./fallback/fallback-options.ts";
export { withFallback } from "./with-fallback.ts";
