export type { NearCache, NearStats } from "@continuum-cache/core/kit";
export { nearCache } from "./near-cache.ts";
export type { NearCacheOptions, NearPattern } from "./options.ts";
