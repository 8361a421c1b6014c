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
export type { RestCacheOptions } from "./rest/settings.ts";
export { UpstashCache } from "./rest/upstash-cache.ts";
export type { Environment } from "./settings.ts";
