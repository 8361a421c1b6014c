import { type Duration, toTimeoutMs } from "@continuum-cache/core";
import type { ReplayOptions } from "../replay-options.ts";

/** What a WebSocket bridge allows, and how much. */
export interface WebSocketBridgeOptions<Context = unknown> {
  /**
   * Whether a client may listen to a channel: only `true` lets it. Asked once for each subscription, with what was given to
   * `accept` for this client. A refusal, an error and no answer in time all look the same to the client: `forbidden`.
   */
  readonly authorize: (channel: string, context: Context) => boolean | Promise<boolean>;
  /** How long `authorize` may take; a bare number is seconds. @default "5s" */
  readonly authorizeTimeout?: Duration;
  /**
   * Which channels keep a history to resume from, as whoever publishes to them has asked for it. Asked when the first client
   * comes to a channel.
   *
   * @default none
   */
  readonly replay?: (channel: string) => boolean | ReplayOptions;
  /** The most clients at a time; others are closed with 1013. @default no bound */
  readonly maxClients?: number;
  /** The most channels of one client. @default 100 */
  readonly maxChannels?: number;
  /** The longest name of a channel, in bytes of UTF-8. @default 256 */
  readonly maxChannelBytes?: number;
  /** The longest frame that a client may send, in bytes. @default 16_384 */
  readonly maxFrameBytes?: number;
  /** The most frames that a client may send in a second; one that sends more is closed with 1008. @default 200 */
  readonly maxFramesPerSecond?: number;
  /** The longest message as it is sent, in bytes; in place of a longer one a gap of 1 is told. @default 1_048_576 (1 MiB) */
  readonly maxMessageBytes?: number;
  /**
   * How much may wait in the socket of one client, in bytes as the socket counts them (`ws` counts a text's UTF-16 units). A
   * message that has no room there is not queued anywhere: the client gets it from the channel's history, or is told how many
   * it has missed, once its socket has half drained. Only a single message may be larger, in an empty socket.
   *
   * @default 262_144 (256 KiB)
   */
  readonly maxBufferedBytes?: number;
  /** How long a client may take to drain before it is closed with 1013; a bare number is seconds. @default "30s" */
  readonly patience?: Duration;
  /**
   * How often clients must show that they live; a bare number is seconds, `false` asks nobody. A socket that can ping (`ws`) is
   * terminated when nothing came back by the next time. One that can't (Workers) is asked only where this is set: its client
   * must then send `{"type":"ping"}`, or anything, within twice the time.
   *
   * @default "30s", for sockets that can ping
   */
  readonly heartbeat?: Duration | false;
  /** Hears why a client was told `unavailable`, and what `authorize` or `replay` has thrown. @default nobody */
  readonly onError?: (error: unknown, channel: string) => void;
}

/** The options, checked and whole. */
export interface BridgeSettings<Context> {
  readonly authorize: (channel: string, context: Context) => boolean | Promise<boolean>;
  readonly authorizeTimeoutMs: number;
  readonly replay: (channel: string) => boolean | ReplayOptions;
  readonly maxClients: number;
  readonly maxChannels: number;
  readonly maxChannelBytes: number;
  readonly maxFrameBytes: number;
  readonly maxFramesPerSecond: number;
  readonly maxMessageBytes: number;
  readonly maxBufferedBytes: number;
  readonly patienceMs: number;
  readonly heartbeatMs: number | undefined;
  /** Whether clients whose sockets can't be pinged have to speak up by themselves. */
  readonly mustSpeak: boolean;
  readonly onError: (error: unknown, channel: string) => void;
}

/** @throws TypeError or RangeError when an option can't be; the message quotes it. */
export function readBridgeOptions<Context>(options: WebSocketBridgeOptions<Context>): BridgeSettings<Context> {
  const { authorize, replay = () => false, onError = () => {}, heartbeat = "30s" } = options;
  assertFunction("authorize", authorize, "(channel, context) => …: without it nobody could say who may listen to what");
  assertFunction("replay", replay, "(channel) => …");
  assertFunction("onError", onError, "(error, channel) => …");
  const { authorizeTimeout = "5s", patience = "30s" } = options;
  return {
    authorize,
    authorizeTimeoutMs: toTimeoutMs(authorizeTimeout, "authorizeTimeout"),
    replay,
    maxClients: atLeastOne("maxClients", options.maxClients, Number.MAX_SAFE_INTEGER),
    maxChannels: atLeastOne("maxChannels", options.maxChannels, 100),
    maxChannelBytes: atLeastOne("maxChannelBytes", options.maxChannelBytes, 256),
    maxFrameBytes: atLeastOne("maxFrameBytes", options.maxFrameBytes, 16_384),
    maxFramesPerSecond: atLeastOne("maxFramesPerSecond", options.maxFramesPerSecond, 200),
    maxMessageBytes: atLeastOne("maxMessageBytes", options.maxMessageBytes, 1_048_576),
    maxBufferedBytes: atLeastOne("maxBufferedBytes", options.maxBufferedBytes, 262_144),
    patienceMs: toTimeoutMs(patience, "patience"),
    heartbeatMs: heartbeat === false ? undefined : toTimeoutMs(heartbeat, "heartbeat"),
    mustSpeak: options.heartbeat !== undefined && options.heartbeat !== false,
    onError,
  };
}

function atLeastOne(name: string, given: unknown, byDefault: number): number {
  if (given === undefined) return byDefault;
  if (Number.isSafeInteger(given) && (given as number) >= 1) return given as number;
  const got = typeof given === "string" ? JSON.stringify(given.slice(0, 40)) : String(given);
  throw new RangeError(`Expected \`${name}\` to be a whole number from 1, got ${got} (${typeof given})`);
}

function assertFunction(name: string, given: unknown, example: string): void {
  if (typeof given === "function") return;
  throw new TypeError(
    `Expected \`${name}\` to be a function, ${example}; got ${given === null ? "null" : typeof given}`,
  );
}
