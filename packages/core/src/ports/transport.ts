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

/** The options of one round trip. A decorator that passes a trip on passes on all of them. */
export interface SendOptions extends CallOptions {
  /** All commands or none, nothing of another client in between: MULTI/EXEC. Default `false`. */
  readonly atomic?: boolean;
  /** Called before a retry: whether a caller still waits for the trip. Absent: yes. */
  readonly isWanted?: () => boolean;
  /** `false` refuses a local stand-in: the primary answers, or the trip rejects. Default `true`. */
  readonly fallback?: boolean;
  /**
   * Globs whose keys the caller is deleting, with this trip and others. A fallback that answers in the primary's place
   * deletes them at the primary too, once it is back.
   */
  readonly invalidates?: readonly string[];
  /**
   * Whether near caches have to know what this trip writes. Set by a cache that has one; without a near cache in this
   * process it means nothing. Default `false`.
   */
  readonly announce?: boolean;
}

/**
 * The one interface between features and backends. Every feature of continuum-cache runs on an
 * implementation of it; `@continuum-cache/conformance` is the suite that an implementation must pass.
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
  /**
   * How much the names of one subscription may take, in bytes, escaped as in an address and with one more for each.
   * Absent where there is no limit.
   */
  readonly maxTopicBytes?: number;
  /**
   * Whether one trip more costs little beside its bytes, as on a connection that stays open. What comes back for many
   * calls at once is then handed out in two parts (see `deliverInHalves`), so that their next calls travel in two
   * trips. Absent where each trip is a request of its own.
   */
  readonly hasCheapTrips?: boolean;
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
  /** Published within this process only, since the primary is away. */
  readonly degraded?: true;
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
  /** Hears this process only: the primary is away. */
  readonly degraded?: true;
  /**
   * Listens to more through the same stream, and resolves once the server has confirmed. What is listened to already
   * stays as it is. Absent where the topics of a stream are fixed; a caller that needs more opens another.
   */
  add?(topics: Topics, options?: CallOptions): Promise<void>;
  /** Listens to less. What is not listened to is passed over. */
  remove?(topics: Topics, options?: CallOptions): Promise<void>;
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
  /** What became of the mutations made while local; present on the way back. */
  readonly recovery?: Recovery;
}

/** What became of the mutations that this process made while the primary was away. The three add up to all of them. */
export interface Recovery {
  /** Those that the primary has confirmed, and those that cancelled one another out. */
  readonly replayed: number;
  /** Those that were not replayed, since a newer write had replaced them. */
  readonly superseded: number;
  /** Those that the primary refused. Each is reported as a failure when that happens. */
  readonly dropped: number;
}

/** The time during which answers come from the memory of this process. */
export interface Outage {
  /** When it began, in milliseconds since 1970. */
  readonly sinceMs: number;
  readonly reason: string;
  /** `"recovering"` once the primary answers again and is being told what happened. */
  readonly state: "local" | "recovering";
  /** What waits for the primary: keys and patterns, what they take in memory, and how old the oldest is. */
  readonly journal: { readonly entries: number; readonly bytes: number; readonly ageMs: number };
  /** Mutations that the primary has refused so far. */
  readonly dropped: number;
}

/** A write that the memory of this process has accepted in the primary's place. */
export interface KeptWrite {
  /** How many mutations this trip has added. */
  readonly mutations: number;
  /** How many there are now that the primary has not confirmed. */
  readonly pending: number;
}

/** Something that went wrong in the background, where no call could be told. */
export interface BackendFailure {
  readonly operation: string;
  readonly key?: string;
  readonly error: Error;
}

/** Tells where a transport's answers come from. */
export interface BackendStatus {
  readonly currentBackend: Backend;
  /** Mutations made while local that the primary has not confirmed yet. */
  readonly pending: number;
  /** The outage that is going on; absent while the primary answers. */
  readonly outage?: Outage | undefined;
  /** Calls the listener on each change; returns the function that stops it. */
  onChange(listener: (change: BackendChange) => void): () => void;
  /** The same for each trip whose writes were kept locally. Absent where nothing ever is. */
  onKept?(listener: (kept: KeptWrite) => void): () => void;
  /** The same for failures in the background. */
  onFailure?(listener: (failure: BackendFailure) => void): () => void;
}
