import "./platform-types.ts";

export { batched } from "./cache/batched.ts";
export { Cache } from "./cache/cache.ts";
export type { CacheEvents } from "./cache/cache-events.ts";
export type { CacheOptions } from "./cache/cache-options.ts";
export type { CacheStats, LatencySummary } from "./cache/cache-stats.ts";
export type { CacheCallOptions } from "./cache/call-options.ts";
export type { DeletePatternOptions } from "./cache/delete-pattern.ts";
export { deletePattern } from "./cache/delete-pattern.ts";
export type { GetOrSetOptions } from "./cache/get-or-set.ts";
export type { Pipeline } from "./cache/pipeline.ts";
export type { ServerInfo } from "./cache/server-info.ts";
export type { SetOptions } from "./cache/set-options.ts";
export type { TimeToLive } from "./cache/time-to-live.ts";
export type { WriteObserver } from "./cache/write-observer.ts";
export type { Claim, ClaimOptions, ClaimWait } from "./claims/claim.ts";
export { createClaim } from "./claims/claim.ts";
export type { ExpiringSet } from "./claims/expiring-set.ts";
export { createExpiringSet } from "./claims/expiring-set.ts";
export type { SingleRun } from "./claims/single-run.ts";
export { createSingleRun } from "./claims/single-run.ts";
export type { Turns } from "./claims/turns.ts";
export { createTurns } from "./claims/turns.ts";
export type { Codec } from "./codecs/codec.ts";
export { isSealed, seal, toTextForm, unseal } from "./codecs/envelope.ts";
export { json, readers } from "./codecs/json.ts";
export { textOrBytes } from "./codecs/text-or-bytes.ts";
export {
  factsOf,
  isPossibleReply,
  isRepeatable,
  isRepeatableTrip,
  isReplacing,
  isWrite,
  keysOf,
  streamKeysAt,
} from "./commands/command-facts.ts";
export type { CommandFacts } from "./commands/command-table.ts";
export { knownCommands } from "./commands/command-table.ts";
export type { KeyOrder, Place } from "./commands/key-order.ts";
export { createKeyOrder } from "./commands/key-order.ts";
export { brand, hasBrand } from "./errors/brand.ts";
export { CodecError, isCodecError } from "./errors/codec-error.ts";
export { CommandError, isCommandError } from "./errors/command-error.ts";
export { conceal } from "./errors/conceal.ts";
export { ConfigError, isConfigError } from "./errors/config-error.ts";
export { errorFromRedis } from "./errors/error-from-redis.ts";
export { errorOf, textOf } from "./errors/error-of.ts";
export type { TransportErrorDetails, TransportErrorKind } from "./errors/transport-error.ts";
export { isTransportError, TransportError } from "./errors/transport-error.ts";
export { sha1 } from "./hash/sha1.ts";
export { compileGlob, matchesGlob } from "./keys/glob.ts";
export { escapeGlob, prefixOfGlob } from "./keys/glob-text.ts";
export { assertKey, maxKeyBytes } from "./keys/key-limit.ts";
export type { KeyFamily, KeyParameters, KeyPattern, KeyPatternOptions } from "./keys/key-pattern.ts";
export { keyPattern } from "./keys/key-pattern.ts";
export { keys } from "./keys/keys.ts";
export type { Lru, LruOptions } from "./keys/lru.ts";
export { createLru } from "./keys/lru.ts";
export { NameMap } from "./keys/name-map.ts";
export { TextMap } from "./keys/text-map.ts";
export { fromWireChannel, toWireChannel, toWirePattern } from "./messages/channel-name.ts";
export { fromMessageText, toMessageText } from "./messages/message-text.ts";
export type { Events } from "./ports/events.ts";
export { createEvents } from "./ports/events.ts";
export { tell } from "./ports/tell.ts";
export type {
  Argument,
  Backend,
  BackendChange,
  BackendFailure,
  BackendStatus,
  CallOptions,
  Command,
  KeptWrite,
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
export type { Breaker, BreakerLeave } from "./resilience/breaker.ts";
export { createBreaker } from "./resilience/breaker.ts";
export type { BreakerOptions, FailureShare } from "./resilience/breaker-options.ts";
export type { BreakerChange, GuardOptions } from "./resilience/guarded.ts";
export { guarded } from "./resilience/guarded.ts";
export { isOutage, isUnanswered } from "./resilience/outage.ts";
export type { Pauses } from "./resilience/pauses.ts";
export { createPauses } from "./resilience/pauses.ts";
export { runScript } from "./scripts/run-script.ts";
export type { Script, ScriptContext } from "./scripts/script.ts";
export { defineScript, scriptByLua } from "./scripts/script.ts";
export type { EndpointRules } from "./settings/endpoint.ts";
export { assertToken, parseEndpoint } from "./settings/endpoint.ts";
export type { KnownOptions } from "./settings/options.ts";
export { assertOptions, booleanOption, choiceOption, functionOption, wholeNumberOption } from "./settings/options.ts";
export { assertPem } from "./settings/pem.ts";
export type { RedisAddress, RedisUrlRules } from "./settings/redis-url.ts";
export { parseRedisUrl } from "./settings/redis-url.ts";
export type { Clock } from "./time/clock.ts";
export { systemClock } from "./time/clock.ts";
export type { Duration } from "./time/duration.ts";
export { longestTimerMs, toMs, toTimeoutMs } from "./time/duration.ts";
export { handOutInHalves, largeTick } from "./time/hand-out.ts";
export { hasLastingTimers } from "./time/lasting-timers.ts";
export { loadedOnce } from "./time/loaded-once.ts";
export { afterThisTick, tickEnd } from "./time/next-tick.ts";
export { onAbort } from "./time/on-abort.ts";
export type { PartLimits, TickBatch } from "./time/tick-batch.ts";
export { createTickBatch, inParts } from "./time/tick-batch.ts";
export { defaultTimeoutMs, withDeadline } from "./time/with-deadline.ts";
export { within } from "./time/within.ts";
export { primaryOf } from "./trips/primary-of.ts";
export type {
  AnswerNow,
  Dispatch,
  DispatchOffer,
  ReplyHandler,
  SentTrips,
  StandIn,
} from "./trips/round-trip.ts";
export {
  answerNowOf,
  createSentTrips,
  dispatchOf,
  ledgerOf,
  offersDispatch,
  RoundTrip,
  sendThrough,
  settleInto,
  throughSend,
} from "./trips/round-trip.ts";
export type { WrittenKeys } from "./trips/written-keys.ts";
export { keysIn } from "./trips/written-keys.ts";
