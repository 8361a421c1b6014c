export type {
  CacheCallOptions,
  CacheEvents,
  CacheStats,
  Codec,
  Duration,
  GetOrSetOptions,
  KeyPattern,
  Pipeline,
  ServerInfo,
  SetOptions,
  Transport,
} from "@continuum-cache/core";
export {
  Cache,
  isCodecError,
  isCommandError,
  isConfigError,
  isTransportError,
  json,
  keyPattern,
  keys,
} from "@continuum-cache/core";
export { UpstashCache } from "./rest/upstash-cache.ts";
export type { Environment } from "./settings/cache-options.ts";
export type { RestCacheOptions } from "./settings/rest-options.ts";
