import "./platform-types.ts";

export { batched } from "./cache/batched.ts";
export { deletePattern } from "./cache/delete-pattern.ts";
export type { WriteObserver } from "./cache/write-observer.ts";
export type { Claim, ClaimOptions, ClaimWait } from "./claims/claim.ts";
export { createClaim } from "./claims/claim.ts";
export type { ExpiringSet } from "./claims/expiring-set.ts";
export { createExpiringSet } from "./claims/expiring-set.ts";
export type { SingleRun } from "./claims/single-run.ts";
export { createSingleRun } from "./claims/single-run.ts";
export type { Turns } from "./claims/turns.ts";
export { createTurns } from "./claims/turns.ts";
export { isSealed, seal, toTextForm, unseal } from "./codecs/envelope.ts";
export { combineCodecs } from "./codecs/json.ts";
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
export type { KeyOrder, KeyTurn } from "./commands/key-order.ts";
export { createKeyOrder } from "./commands/key-order.ts";
export { brand, hasBrand } from "./errors/brand.ts";
export { conceal } from "./errors/conceal.ts";
export { errorFromRedis } from "./errors/error-from-redis.ts";
export { errorOf, textOf } from "./errors/error-of.ts";
export { sha1 } from "./hash/sha1.ts";
export { compileGlob, matchesGlob } from "./keys/glob.ts";
export { prefixOfGlob } from "./keys/glob-text.ts";
export { assertKey, maxKeyBytes } from "./keys/key-limit.ts";
export type { Lru, LruOptions } from "./keys/lru.ts";
export { createLru } from "./keys/lru.ts";
export { NameMap } from "./keys/name-map.ts";
export { TextMap } from "./keys/text-map.ts";
export { fromWireChannel, toWireChannel, toWirePattern } from "./messages/channel-name.ts";
export { fromMessageText, toMessageText } from "./messages/message-text.ts";
export { callListener } from "./ports/call-listener.ts";
export { createEvents } from "./ports/events.ts";
export type { JournalStore } from "./ports/journal-store.ts";
export type { Breaker, BreakerPermit } from "./resilience/breaker.ts";
export { createBreaker } from "./resilience/breaker.ts";
export type { CancellableSleep } from "./resilience/cancellable-sleep.ts";
export { createCancellableSleep } from "./resilience/cancellable-sleep.ts";
export { isOutage, isUnanswered } from "./resilience/outage.ts";
export { scriptByLua } from "./scripts/script.ts";
export type { EndpointRules } from "./settings/endpoint.ts";
export { assertToken, parseEndpoint } from "./settings/endpoint.ts";
export type { KnownOptions } from "./settings/options.ts";
export { assertOptions, booleanOption, choiceOption, functionOption, wholeNumberOption } from "./settings/options.ts";
export { assertPem } from "./settings/pem.ts";
export type { RedisAddress, RedisUrlRules } from "./settings/redis-url.ts";
export { parseRedisUrl } from "./settings/redis-url.ts";
export type { Backoff, BackoffLimits } from "./time/backoff.ts";
export { createBackoff } from "./time/backoff.ts";
export { systemClock } from "./time/clock.ts";
export { longestTimerMs, toMs, toTimeoutMs } from "./time/duration.ts";
export { handOutInHalves, largeTick } from "./time/hand-out.ts";
export { hasLastingTimers } from "./time/lasting-timers.ts";
export { loadedOnce } from "./time/loaded-once.ts";
export { afterThisTick, tickEnd } from "./time/next-tick.ts";
export { onAbort } from "./time/on-abort.ts";
export { settlesWithin } from "./time/settles-within.ts";
export type { Slices } from "./time/slices.ts";
export { createBits, createSlices, longestSliceSteps, yieldToEventLoop } from "./time/slices.ts";
export type { PartLimits, TickBatch } from "./time/tick-batch.ts";
export { createTickBatch, inParts } from "./time/tick-batch.ts";
export { defaultTimeoutMs, withDeadline } from "./time/with-deadline.ts";
export { primaryOf } from "./trips/primary-of.ts";
export type { AnswerNow, Dispatch, DispatchOffer, ReplyHandler, StandIn, WriteLedger } from "./trips/round-trip.ts";
export {
  answerNowOf,
  createWriteLedger,
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
