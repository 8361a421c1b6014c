import { ConfigError, type Duration } from "@continuum-cache/core";
import {
  assertOptions,
  functionOption,
  type KnownOptions,
  toTimeoutMs,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type { ReplayOptions } from "../options.ts";
import type { ChannelSubscription, Gap, Message, Position } from "../types.ts";
import { remoteAddressOf } from "./addresses.ts";
import type { ServerSocket } from "./server-socket.ts";

/** The options with which a bridge subscribes. */
export interface BridgeSubscribeOptions {
  readonly replay?: boolean | ReplayOptions;
  readonly after?: Position | "beginning";
  readonly onMessage: (message: Message) => void;
  readonly onGap: (gap: Gap) => void;
}

/** What a bridge needs of a `PubSub`. */
export interface BridgePubSub {
  subscribe(channel: string, options: BridgeSubscribeOptions): Promise<ChannelSubscription>;
}

/** Options of a WebSocket bridge: what it allows, and how much. */
export interface WebSocketBridgeOptions<Context = unknown> {
  /**
   * Whether a client may listen to a channel: only `true` allows it. Called once for each subscription, with the
   * context that `accept` got for this client. A refusal, an error and no answer in time all look the same to the
   * client: `forbidden`.
   */
  readonly authorize: (channel: string, context: Context) => boolean | Promise<boolean>;
  /** How long `authorize` may take; a bare number is seconds. @default "5s" */
  readonly authorizeTimeout?: Duration;
  /**
   * Which channels keep a history to resume from: those whose publishers use `replay`. Called when the first client
   * subscribes to a channel.
   *
   * @default none
   */
  readonly replay?: (channel: string) => boolean | ReplayOptions;
  /**
   * The most clients at a time; others are closed with 1013. A client of an address with few clients takes the place of
   * one of the address with the most, so that one address alone can't lock out all others.
   * @default no bound
   */
  readonly maxClients?: number;
  /** The most clients of one address at a time; others are closed with 1013. @default no bound */
  readonly maxClientsPerAddress?: number;
  /**
   * The owner of a socket, for `maxClientsPerAddress` and other limits: an address, or a user's id. Behind a proxy all
   * sockets come from the proxy: return what it says of the client (the last `X-Forwarded-For`), if only the proxy can
   * reach you. `undefined`: not counted.
   *
   * @default the remote address of a `ws` socket, of IPv6 the /64; in Workers none
   */
  readonly addressOf?: (context: Context, socket: ServerSocket) => string | undefined;
  /** The most channels of one client. @default 100 */
  readonly maxChannels?: number;
  /**
   * How many times a second a client may subscribe in the long run. At once it may as often as `maxChannels`, 20 times
   * at least. Coming back to a channel that it has left counts as five. All clients of one address together may ten
   * times as often. Beyond that the answer is `too-fast`.
   * @default 2
   */
  readonly maxSubscribesPerSecond?: number;
  /** The longest name of a channel, in bytes of UTF-8. @default 256 */
  readonly maxChannelBytes?: number;
  /** The longest frame that a client may send, in bytes. @default 16_384 */
  readonly maxFrameBytes?: number;
  /** The most frames that a client may send in a second; one that sends more is closed with 1008. @default 200 */
  readonly maxFramesPerSecond?: number;
  /**
   * The longest message as it is sent, in bytes. A longer one becomes a gap of 1.
   * @default 1_048_576 (1 MiB)
   */
  readonly maxMessageBytes?: number;
  /**
   * How much may wait in the socket of one client, in bytes as the socket counts them (`ws` counts a text's UTF-16
   * units). A message without room is not queued: once the socket has half drained, the client gets it from the
   * channel's history, or a gap that counts it. A single message may be larger, in an empty socket.
   *
   * @default 262_144 (256 KiB)
   */
  readonly maxBufferedBytes?: number;
  /** How long a client may take to drain before it is closed with 1013; a bare number is seconds. @default "30s" */
  readonly patience?: Duration;
  /**
   * How often clients must show that they are alive; a bare number is seconds, `false` turns it off. A socket that can
   * ping (`ws`) is terminated when it did not answer by the next time. For one that can't (Workers) this counts only
   * where it is set: its client must then send `{"type":"ping"}`, or anything, within twice the time.
   *
   * @default "30s", for sockets that can ping
   */
  readonly heartbeat?: Duration | false;
  /**
   * Called with the reason of an `unavailable`, and with what `authorize`, `replay`, `addressOf` or a socket has
   * thrown. The channel is empty where the error concerns none.
   * @default no function
   */
  readonly onError?: (error: unknown, channel: string) => void;
}

/** The options, checked, with defaults filled in. */
export interface BridgeSettings<Context> {
  readonly authorize: (channel: string, context: Context) => boolean | Promise<boolean>;
  readonly authorizeTimeoutMs: number;
  readonly replay: (channel: string) => boolean | ReplayOptions;
  readonly maxClients: number;
  readonly maxClientsPerAddress: number;
  readonly addressOf: (context: Context, socket: ServerSocket) => string | undefined;
  readonly maxChannels: number;
  readonly maxSubscribesPerSecond: number;
  readonly maxChannelBytes: number;
  readonly maxFrameBytes: number;
  readonly maxFramesPerSecond: number;
  readonly maxMessageBytes: number;
  readonly maxBufferedBytes: number;
  readonly patienceMs: number;
  readonly heartbeatMs: number | undefined;
  /** Whether clients whose sockets can't be pinged must send something by themselves. */
  readonly mustSpeak: boolean;
  readonly onError: (error: unknown, channel: string) => void;
}

const known: KnownOptions<WebSocketBridgeOptions> = {
  authorize: true,
  authorizeTimeout: true,
  replay: true,
  maxClients: true,
  maxClientsPerAddress: true,
  addressOf: true,
  maxChannels: true,
  maxSubscribesPerSecond: true,
  maxChannelBytes: true,
  maxFrameBytes: true,
  maxFramesPerSecond: true,
  maxMessageBytes: true,
  maxBufferedBytes: true,
  patience: true,
  heartbeat: true,
  onError: true,
};

/** @throws ConfigError when an option is not valid; the message quotes it. */
export function readBridgeOptions<Context>(options: WebSocketBridgeOptions<Context>): BridgeSettings<Context> {
  assertOptions("createWebSocketBridge", options ?? null, known);
  const { authorize, replay = () => false, onError = () => {}, heartbeat = "30s" } = options;
  const { addressOf = (_: Context, socket: ServerSocket) => remoteAddressOf(socket) } = options;
  if (functionOption("authorize", authorize) === undefined) {
    throw new ConfigError(
      "authorize",
      "Expected `authorize` to be a function, (channel, context) => …: it says who may listen to what; got none",
    );
  }
  functionOption("replay", replay);
  functionOption("addressOf", addressOf);
  functionOption("onError", onError);
  const { authorizeTimeout = "5s", patience = "30s" } = options;
  return {
    authorize,
    authorizeTimeoutMs: toTimeoutMs(authorizeTimeout, "authorizeTimeout"),
    replay,
    maxClients: atLeastOne("maxClients", options.maxClients, Number.MAX_SAFE_INTEGER),
    maxClientsPerAddress: atLeastOne("maxClientsPerAddress", options.maxClientsPerAddress, Number.MAX_SAFE_INTEGER),
    addressOf,
    maxChannels: atLeastOne("maxChannels", options.maxChannels, 100),
    maxSubscribesPerSecond: atLeastOne("maxSubscribesPerSecond", options.maxSubscribesPerSecond, 2),
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

const atLeastOne = (name: string, given: unknown, byDefault: number): number =>
  given === undefined ? byDefault : wholeNumberOption(name, given);
