import "./platform-types.ts";

export { Cache } from "./cache/cache.ts";
export type { CacheEvents } from "./cache/cache-events.ts";
export type { CacheOptions } from "./cache/cache-options.ts";
export type { CacheStats, LatencySummary } from "./cache/cache-stats.ts";
export type { CacheCallOptions } from "./cache/call-options.ts";
export type { DeletePatternOptions } from "./cache/delete-pattern.ts";
export type { GetOrSetOptions, LoaderContext } from "./cache/get-or-set.ts";
export type { WrapOptions, Wrapped } from "./cache/load-calls.ts";
export type { Namespace } from "./cache/namespace.ts";
export type { Pipeline } from "./cache/pipeline.ts";
export type { KeysOptions } from "./cache/scan-keys.ts";
export type { ServerInfo } from "./cache/server-info.ts";
export type { SetOptions } from "./cache/set-options.ts";
export type { TimeToLive } from "./cache/time-to-live.ts";
export type { Codec } from "./codecs/codec.ts";
export { json } from "./codecs/json.ts";
export { CodecError, isCodecError } from "./errors/codec-error.ts";
export { CommandError, isCommandError } from "./errors/command-error.ts";
export { ConfigError, isConfigError } from "./errors/config-error.ts";
export type { TransportErrorDetails, TransportErrorKind } from "./errors/transport-error.ts";
export { isTransportError, TransportError } from "./errors/transport-error.ts";
export { escapeGlob } from "./keys/glob-text.ts";
export type { KeyFamily, KeyParameters, KeyPattern, KeyPatternOptions } from "./keys/key-pattern.ts";
export { keyPattern } from "./keys/key-pattern.ts";
export { keys } from "./keys/keys.ts";
export type { StandardSchema } from "./keys/standard-schema.ts";
export type { Key } from "./keys/typed-key.ts";
export type { Lock, LockOptions } from "./locks/lock-options.ts";
export type { Events } from "./ports/events.ts";
export type {
  Argument,
  Backend,
  BackendChange,
  BackendStatus,
  CallOptions,
  Command,
  Message,
  MessageListener,
  Outage,
  Recovery,
  Reply,
  SendOptions,
  Subscription,
  Topics,
  Transport,
} from "./ports/transport.ts";
export type { GuardOptions } from "./resilience/guarded.ts";
export { guarded } from "./resilience/guarded.ts";
export type { Clock } from "./time/clock.ts";
export type { Duration } from "./time/duration.ts";
