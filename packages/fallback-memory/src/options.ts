export type { FallbackOptions, JournalOptions } from "./fallback/fallback-options.ts";
export { assertFallbackOptions } from "./fallback/fallback-options.ts";
