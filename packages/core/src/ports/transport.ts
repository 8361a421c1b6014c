import type { CommandError } from "../errors/command-error.ts";
import type { TransportError } from "../errors/transport-error.ts";

/** One argument of a command. Strings travel as UTF-8, numbers as their decimal text, bytes as they are. */
export type Argument = string | number | Uint8Array;

/**
 * One Redis command: its name, then its arguments.
 *
 * @example
 * ```ts
 * import type { Command } from "@continuum-cache/core";
 *
 * const command: Command = ["SET", "greeting", "hello", "EX", 60];
 * ```
 */
export type Command = readonly [name: string, ...args: Argument[]];

/**
 * What Redis answers, in the shapes of RESP2.
 *
 * A bulk string arrives as a `string` when its bytes are valid UTF-8 and as a `Uint8Array` otherwise, on every
 * transport, so nothing is ever lost or replaced. Integers beyond 2^53 may be rounded by the JSON of a REST answer.
 */
export type Reply = null | number | string | Uint8Array | readonly Reply[] | CommandError;

/** What one call may ask for: when it must end, and how it may end sooner. */
export interface CallOptions {
  /** How long the call may take, in milliseconds. The transport's own default applies when absent (5,000). */
  readonly timeoutMs?: number;
  /** Ends the call early: it rejects with a `TransportError` of kind `aborted`. */
  readonly signal?: AbortSignal;
}

/** What one trip to the server may ask for. Whoever passes a trip on passes its options on, whole. */
export interface SendOptions extends CallOptions {
  /** All commands or none, nothing of another client in between: MULTI/EXEC. Default `false`. */
  readonly atomic?: boolean;
  /** `false` refuses a local stand-in: the primary answers, or the trip rejects. Default `true`. */
  readonly fallback?: boolean;
}

/**
 * The one interface between features and backends. Whoever implements it gets every feature of continuum-cache;
 * `@continuum-cache/conformance` is the suite an implementation must pass.
 *
 * @example
 * ```ts
 * import type { Reply, Transport } from "@continuum-cache/core";
 *
 * async function lengthOf(transport: Transport, key: string): Promise<Reply | undefined> {
 *   const [length] = await transport.send([["STRLEN", key]]);
 *   return length;
 * }
 * ```
 */
export interface Transport {
  /** `"rest"`, `"tcp"`, `"memory"`…: for errors, events and tests. */
  readonly name: string;
  /**
   * Sends commands, in order, in one round trip, and resolves to one reply for each.
   *
   * A command that Redis refused stands among the replies as a `CommandError`. The promise rejects with a
   * `TransportError`, and with nothing else, when no answer came: it always settles by its deadline. Trips that touch
   * the same key take effect in the order in which they were sent. An empty list resolves to an empty list.
   */
  send(commands: readonly Command[], options?: SendOptions): Promise<Reply[]>;
  /**
   * Listens, and resolves once the server has confirmed, so whatever is published afterwards is heard.
   * It never reconnects by itself. Absent where nothing can listen.
   */
  subscribe?(topics: Topics, listener: MessageListener, options?: CallOptions): Promise<Subscription>;
  /** Where answers come from now, for transports that can change it. Absent where there is one answer for ever. */
  readonly status?: BackendStatus;
  /** Gives back sockets and timers; calls in flight reject with kind `closed`. Safe to call twice. */
  close(): Promise<void>;
}

/** What to listen to: channels by name, patterns by glob. At least one of either. */
export interface Topics {
  readonly channels?: readonly string[];
  readonly patterns?: readonly string[];
}

/** One published message as it was heard. */
export interface Message {
  readonly channel: string;
  /** The pattern through which it was heard, when it was one. */
  readonly pattern?: string;
  readonly data: string | Uint8Array;
}

/** The two things that can happen to a subscription. */
export interface MessageListener {
  /** Called for each message, in the order in which the server sent them. */
  message(message: Message): void;
  /** Called once when the stream breaks; nothing more is heard through it. Not called after `close()`. */
  interrupted(error: TransportError): void;
}

/** A stream of messages that is being listened to. */
export interface Subscription {
  /** Stops listening. Safe to call twice. */
  close(): Promise<void>;
}

/** Where answers come from: any primary, or the memory of this process. */
export type Backend = "upstash" | "local";

/** A change of backend, and why. */
export interface BackendChange {
  readonly from: Backend;
  readonly to: Backend;
  readonly reason: string;
}

/** Tells where a transport's answers come from. */
export interface BackendStatus {
  readonly currentBackend: Backend;
  /** Mutations made while local that the primary has not confirmed yet. */
  readonly pending: number;
  /** Calls the listener on each change; returns the function that stops it. */
  onChange(listener: (change: BackendChange) => void): () => void;
}
