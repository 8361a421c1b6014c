export type {
  Backend,
  CacheCallOptions,
  CacheEvents,
  CacheStats,
  Codec,
  Duration,
  GetOrSetOptions,
  KeyPattern,
  Lock,
  LockOptions,
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
export type {
  FederationQueueOptions,
  Lease,
  LogEntry,
  LogGap,
  SyncLogOptions,
  Worker,
} from "@continuum-cache/federation-queue";
export { FederationQueue, federate, isLeaseLostError, relay, SyncLog } from "@continuum-cache/federation-queue";
export type { Gap, Message, Position, PubSubOptions, ReplayOptions } from "@continuum-cache/pubsub";
export { PubSub } from "@continuum-cache/pubsub";
export type { Decision, RateLimit, RateLimiterOptions } from "@continuum-cache/ratelimit";
export { presets, RateLimiter, rateLimitHeaders } from "@continuum-cache/ratelimit";
export type { Environment, UpstashCacheOptions } from "./settings/cache-options.ts";
export { UpstashCache } from "./upstash-cache.ts";
