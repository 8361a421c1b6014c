export type { Codec } from "./codecs/codec.ts";
export { isSealed, seal, toTextForm, unseal } from "./codecs/envelope.ts";
export { textOrBytes } from "./codecs/text-or-bytes.ts";
export type { CommandFacts } from "./commands/command-table.ts";
export { factsOf, isRepeatable, isWrite, keysOf, knownCommands } from "./commands/command-table.ts";
export type { KeyOrder, Place } from "./commands/key-order.ts";
export { createKeyOrder } from "./commands/key-order.ts";
export { CodecError, isCodecError } from "./errors/codec-error.ts";
export { CommandError, isCommandError } from "./errors/command-error.ts";
export { ConfigError, isConfigError } from "./errors/config-error.ts";
export { errorFromRedis } from "./errors/error-from-redis.ts";
export type { TransportErrorDetails, TransportErrorKind } from "./errors/transport-error.ts";
export { isTransportError, TransportError } from "./errors/transport-error.ts";
export type {
  Argument,
  Backend,
  BackendChange,
  BackendStatus,
  CallOptions,
  Command,
  Message,
  MessageListener,
  Reply,
  SendOptions,
  Subscription,
  Topics,
  Transport,
} from "./ports/transport.ts";
export { runScript } from "./scripts/run-script.ts";
export type { Script, ScriptContext } from "./scripts/script.ts";
export { defineScript, scriptByLua } from "./scripts/script.ts";
export type { Clock } from "./time/clock.ts";
export { systemClock } from "./time/clock.ts";
export type { Duration } from "./time/duration.ts";
export { toMs } from "./time/duration.ts";
export { defaultTimeoutMs, withDeadline } from "./time/with-deadline.ts";
