import { type Codec, ConfigError, type Duration, json, type Transport } from "@continuum-cache/core";
import {
  assertOptions,
  backendOption,
  choiceOption,
  codecsOption,
  combineCodecs,
  type KnownOptions,
  type StreamSettings,
  toMs,
  toTimeoutMs,
  toWireChannel,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type {
  BufferOptions,
  ListenOptions,
  PublishOptions,
  PubSubBackend,
  PubSubOptions,
  ReplayOptions,
  SubscribeCallOptions,
  SubscribeOptions,
  SubscriptionHandlers,
} from "./options.ts";
import type { Message, Position } from "./types.ts";

/** The options of a PubSub, checked, with defaults filled in. */
export interface PubSubSettings {
  readonly transport: Transport;
  readonly codec: Codec;
  readonly buffer: BufferSettings;
  /** For calls that do not say whether their channel has a history. */
  readonly replay: ReplaySettings | undefined;
  readonly timeoutMs: number;
  readonly maxMessageBytes: number;
  readonly stream: StreamSettings;
}

const known: KnownOptions<PubSubOptions> = {
  codec: true,
  replay: true,
  buffer: true,
  timeout: true,
  watchdog: true,
  probeTimeout: true,
  maxReconnectWait: true,
  maxMessageBytes: true,
  probeChannel: true,
};

/** @throws ConfigError that quotes the wrong option. */
export function readSettings(backend: PubSubBackend, options: PubSubOptions): PubSubSettings {
  const transport = backendOption(backend);
  assertOptions("new PubSub", options, known);
  const { maxMessageBytes = 4 << 20, timeout = "5s", probeChannel = "continuum-cache:alive" } = options;
  const ms = (name: "watchdog" | "probeTimeout" | "maxReconnectWait", fallback: Duration): number =>
    toTimeoutMs(options[name] ?? fallback, name);
  const timeoutMs = toTimeoutMs(timeout, "timeout");
  return {
    transport,
    codec: combineCodecs(codecsOption(options.codec ?? backend.codec ?? json())),
    buffer: readBuffer(options.buffer),
    replay: readReplay(options.replay ?? false),
    timeoutMs,
    maxMessageBytes: wholeNumberOption("maxMessageBytes", maxMessageBytes),
    stream: {
      timeoutMs,
      heartbeatMs: ms("watchdog", "45s"),
      heartbeatTimeoutMs: ms("probeTimeout", "2s"),
      maxReconnectWaitMs: ms("maxReconnectWait", "5s"),
      heartbeatChannel: channelOption("probeChannel", probeChannel),
    },
  };
}

function channelOption(name: string, channel: string): string {
  try {
    return toWireChannel(channel);
  } catch (cause) {
    const { message } = cause as Error;
    throw new ConfigError(name, `Expected \`${name}\` to be the name of a channel: ${message}`, { cause });
  }
}

/** Replay options, checked, with defaults filled in. */
export interface ReplaySettings {
  readonly count: number;
  readonly ageMs: number;
  /**
   * How long a history lives after its last message. It outlives its messages, since it keeps their count: as long as
   * it lives, a subscriber that was away learns how many messages it missed.
   */
  readonly keyTtlMs: number;
}

const dayMs = 86_400_000;

const knownReplay: KnownOptions<ReplayOptions> = { count: true, age: true };

/** @returns `undefined` for no history. @throws ConfigError when an option is not valid. */
export function readReplay(replay: boolean | ReplayOptions): ReplaySettings | undefined {
  if (replay === false) return undefined;
  if (replay !== true && (typeof replay !== "object" || replay === null)) {
    throw new ConfigError("replay", `Expected \`replay\` to be true, false or { count, age }, got ${typeof replay}`);
  }
  const options = replay === true ? {} : replay;
  assertOptions("replay", options, knownReplay);
  const count = wholeNumberOption("replay.count", options.count ?? 1_000);
  const ageMs = toMs(options.age ?? "1h", "replay.age");
  return { count, ageMs, keyTtlMs: Math.round(ageMs * upkeepSlack + Math.max(ageMs, dayMs)) };
}

/** Upkeep runs once in an eighth of the age, so messages may stay that much longer. */
const upkeepSlack = 9 / 8;

/** The options of a pattern, which has no history: a history belongs to one channel. */
export type PatternOptions<Data = unknown> = SubscriptionHandlers<Data> & SubscribeCallOptions;

export const knownPublish: KnownOptions<PublishOptions> = { replay: true, timeout: true, signal: true, fallback: true };
export const knownListen: KnownOptions<ListenOptions> = { signal: true };
export const knownPattern: KnownOptions<PatternOptions> = { onMessage: true, onGap: true, timeout: true, signal: true };
export const knownSubscribe: KnownOptions<SubscribeOptions> = { ...knownPattern, replay: true, after: true };

/** @throws ConfigError when it is no position to begin behind. -1 is the number before the first message. */
export function assertAfter(after: Position | "beginning", hasReplay: boolean, channels: number): void {
  const { epoch, seq } = (typeof after === "object" && after !== null ? after : {}) as Partial<Position>;
  const isPosition =
    Number.isSafeInteger(epoch) && Number.isSafeInteger(seq) && (epoch as number) >= 0 && (seq as number) >= -1;
  if (after !== "beginning" && !isPosition) {
    throw new ConfigError("after", 'Expected `after` to be a position { epoch, seq } of whole numbers, or "beginning"');
  }
  if (!hasReplay) throw new ConfigError("after", "Expected `after` only together with `replay`");
  if (channels > 1) {
    throw new ConfigError("after", "Expected `after` with one channel, got several: each has a history of its own");
  }
}

/** Buffer options, checked, with defaults filled in. */
export interface BufferSettings {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly whenFull: "drop-oldest" | "conflate" | "disconnect";
  readonly key: (message: Message) => string;
}

const knownBuffer: KnownOptions<BufferOptions> = { maxMessages: true, maxBytes: true, whenFull: true, key: true };

/** @throws ConfigError that quotes the wrong option. */
export function readBuffer(options: BufferOptions = {}): BufferSettings {
  assertOptions("buffer", options, knownBuffer);
  const { maxMessages = 1_000, maxBytes = 16 << 20, whenFull = "drop-oldest", key } = options;
  if (key !== undefined && (typeof key !== "function" || whenFull !== "conflate")) {
    throw new ConfigError("key", 'Expected `buffer.key` to be a function, and only with `whenFull: "conflate"`');
  }
  return {
    maxMessages: wholeNumberOption("buffer.maxMessages", maxMessages),
    maxBytes: wholeNumberOption("buffer.maxBytes", maxBytes),
    whenFull: choiceOption("buffer.whenFull", whenFull, ["drop-oldest", "conflate", "disconnect"]),
    key: key ?? (({ channel }) => channel),
  };
}
