export type { MemoryOptions } from "./memory-transport.ts";
export { memoryTransport } from "./memory-transport.ts";
export type { FallbackOptions } from "./with-fallback.ts";
export { withFallback } from "./with-fallback.ts";
