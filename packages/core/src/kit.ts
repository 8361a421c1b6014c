import "./platform-types.ts";

export { batched } from "./cache/batched.ts";
export type { WriteObserver } from "./cache/cache-events.ts";
export { toSendOptions } from "./cache/call-options.ts";
export { deletePattern } from "./cache/delete-pattern.ts";
export type { BackgroundTask } from "./claims/background-task.ts";
export { createBackgroundTask } from "./claims/background-task.ts";
export type { Claim, ClaimOptions, WaitOptions } from "./claims/claim.ts";
export { createClaim } from "./claims/claim.ts";
export type { ExpiringSet } from "./claims/expiring-set.ts";
export { createExpiringSet } from "./claims/expiring-set.ts";
export type { Mutex } from "./claims/mutex.ts";
export { createMutex } from "./claims/mutex.ts";
export { codecsOption } from "./codecs/codec.ts";
export { isSealed, seal, toTextForm, unseal } from "./codecs/envelope.ts";
export { combineCodecs } from "./codecs/json.ts";
export {
  factsOf,
  isPossibleReply,
  isRepeatable,
  isRepeatableTrip,
  isReplacing,
  isWrite,
  keySpecOf,
  keysOf,
  streamKeysAt,
} from "./commands/command-facts.ts";
export type { CommandFacts } from "./commands/command-table.ts";
export { knownCommands } from "./commands/command-table.ts";
export { invalidationStream } from "./commands/invalidation-stream.ts";
export type { KeyOrder, KeyTurn } from "./commands/key-order.ts";
export { createKeyOrder } from "./commands/key-order.ts";
export { brand, hasBrand } from "./errors/brand.ts";
export { abortedError, closedError } from "./errors/call-errors.ts";
export { unwrap } from "./errors/command-error.ts";
export { conceal } from "./errors/conceal.ts";
export { errorFromRedis } from "./errors/error-from-redis.ts";
export { quoted } from "./errors/quoted.ts";
export { messageOf, toError } from "./errors/to-error.ts";
export { sha1 } from "./hash/sha1.ts";
export { compileGlob, matchesGlob } from "./keys/glob.ts";
export { prefixOfGlob } from "./keys/glob-text.ts";
export { isInternalKey } from "./keys/internal-keys.ts";
export { assertKey, maxKeyBytes } from "./keys/key-limit.ts";
export type { Lru, LruOptions } from "./keys/lru.ts";
export { createLru } from "./keys/lru.ts";
export { NameMap } from "./keys/name-map.ts";
export { TextMap } from "./keys/text-map.ts";
export { fromWireChannel, toWireChannel, toWirePattern } from "./messages/channel-name.ts";
export { fromMessageText, toMessageText } from "./messages/message-text.ts";
export { backendOption } from "./ports/backend-option.ts";
export { callListener } from "./ports/call-listener.ts";
export { createEvents } from "./ports/events.ts";
export type { JournalStore } from "./ports/journal-store.ts";
export type { KeepRead, NearCache, NearCacheHost, NearStats, NearStore } from "./ports/near-cache.ts";
export type { BackendFailure, KeptWrite } from "./ports/transport.ts";
export type { Breaker, BreakerPermit } from "./resilience/breaker.ts";
export { createBreaker } from "./resilience/breaker.ts";
export type { BreakerOptions, FailureShare } from "./resilience/breaker-options.ts";
export type { CancellableSleep } from "./resilience/cancellable-sleep.ts";
export { createCancellableSleep } from "./resilience/cancellable-sleep.ts";
export type { BreakerChange } from "./resilience/guarded.ts";
export { isOutage, isUnanswered } from "./resilience/outage.ts";
export { scriptByLua } from "./scripts/known-scripts.ts";
export { runScript } from "./scripts/run-script.ts";
export type { Script, ScriptContext } from "./scripts/script.ts";
export { defineScript } from "./scripts/script.ts";
export { serverTimeLua, serverTimeMs, serverTimeUs } from "./scripts/server-time.ts";
export type { EndpointRules } from "./settings/endpoint.ts";
export { assertToken, parseEndpoint } from "./settings/endpoint.ts";
export type { KnownOptions } from "./settings/options.ts";
export {
  assertOptions,
  booleanOption,
  choiceOption,
  functionOption,
  signalOption,
  textOption,
  wholeNumberOption,
} from "./settings/options.ts";
export { assertPem } from "./settings/pem.ts";
export type { RedisAddress, RedisUrlRules } from "./settings/redis-url.ts";
export { parseRedisUrl } from "./settings/redis-url.ts";
export type { StreamSettings } from "./streams/heartbeat.ts";
export type { Attachment, SharedStream } from "./streams/stream-registry.ts";
export { sharedStreamsOf } from "./streams/stream-registry.ts";
export type { StreamChange } from "./streams/stream-state.ts";
export type { Loss, Restoration, Topic, TopicId, TopicKind, TopicListener } from "./streams/topic.ts";
export { idOf } from "./streams/topic.ts";
export { textOrBytes } from "./text/text.ts";
export type { Backoff, BackoffLimits } from "./time/backoff.ts";
export { createBackoff } from "./time/backoff.ts";
export { systemClock } from "./time/clock.ts";
export { deliverInHalves, largeBatch } from "./time/deliver-in-halves.ts";
export { longestTimerMs, toMs, toTimeoutMs } from "./time/duration.ts";
export { loadedOnce } from "./time/loaded-once.ts";
export { onAbort } from "./time/on-abort.ts";
export { afterThisTick, hasLastingTimers, tickEnd } from "./time/platform.ts";
export { settlesWithin } from "./time/settles-within.ts";
export type { ChunkLimits, TickBatch } from "./time/tick-batch.ts";
export { chunked, createTickBatch } from "./time/tick-batch.ts";
export type { TimeSlices } from "./time/time-slices.ts";
export { createTimeSlices, createWorkBudget, maxSliceSteps, yieldToEventLoop } from "./time/time-slices.ts";
export { defaultTimeoutMs, withDeadline } from "./time/with-deadline.ts";
export { primaryOf } from "./trips/primary-of.ts";
export type {
  AnswerSync,
  Dispatch,
  DispatchOffer,
  FallbackAnswer,
  ReplyHandler,
  WriteLedger,
} from "./trips/round-trip.ts";
export {
  answerSyncOf,
  createWriteLedger,
  decorateDispatch,
  dispatchOf,
  ledgerOf,
  RoundTrip,
  registerDispatch,
  sendThrough,
  serverOf,
} from "./trips/round-trip.ts";
export { settleInto, throughSend } from "./trips/through-send.ts";
export type { WrittenKeys } from "./trips/written-keys.ts";
export { keysIn } from "./trips/written-keys.ts";
