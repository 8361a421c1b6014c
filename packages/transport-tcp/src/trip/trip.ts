import { type Command, isTransportError, type Reply, type TransportError } from "@continuum-cache/core";
import {
  abortedError,
  errorFromRedis,
  isPossibleReply,
  longestTimerMs,
  onAbort,
  type ReplyHandler,
} from "@continuum-cache/core/kit";
import { inRespTwo, toReply } from "../protocol/client-reply.ts";
import { atomicReplies, replies, type Slot } from "../protocol/replies.ts";
import type { AnswerSink } from "../protocol/wire-command.ts";
import type { TcpClient } from "../tcp-client.ts";
import { isRefusal, queuedError, type ServerAddress, timeoutError, transportName } from "../tcp-error.ts";
import { assertShareable, ownConnectionOnly } from "./shareable-commands.ts";

/** What a trip calls on the connection that has written it. */
export interface ConnectionCallbacks {
  /** Whether the reply that is being handed out says that its command was queued by MULTI. */
  readonly isQueued: boolean;
  /** The next integer of that reply which the client has rounded, as it came. */
  nextLongInteger(): number | undefined;
  /** The error of the trips on it when the connection ends. */
  toTransportError(error: Error): TransportError;
  /** A reply does not fit its command. No further reply on this connection can be trusted. */
  invalidReply(problem: string): void;
  /** The server has refused a command because it isn't ready, or no primary. */
  notReady(): void;
  /** All replies of the trip have come. */
  completed(trip: Trip): void;
}

/** How a trip may end before its answer. */
export interface TripTimeout {
  /** By `performance.now()`. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly server: ServerAddress;
  /** Called when the trip has been ended early. */
  onEnd(trip: Trip, timedOut: boolean): void;
}

/**
 * The commands of one `send`, on their way.
 *
 * A class, unlike everything else here: V8 allocates an object literal in old space for good once a burst of calls has
 * made enough of its kind survive, and there each trip keeps its replies until the next full collection. At 64 calls in
 * flight that doubled the time of every call.
 */
export class Trip implements AnswerSink {
  readonly commands: readonly Command[];
  /** MULTI and EXEC stand around its commands. */
  readonly isAtomic: boolean;
  /** What is written. */
  readonly wire: readonly Command[];
  readonly bytes: number;
  /** In how many arrays of a reply an error may stand that tells of the connection: the replies of EXEC have one. */
  readonly errorDepth: 0 | 1;
  /** Whether its handler has been called. */
  settled = false;
  /** The server has refused one of its commands because it isn't ready, or no primary. */
  isRefused = false;
  /** The connection that has written it; while there is none, it surely has not reached the server. */
  writtenTo: ConnectionCallbacks | undefined = undefined;
  /** The socket from which its replies are read; undefined when the client reads them. */
  socket: TcpClient["stream"] | undefined = undefined;
  /** How many commands of the client itself must be answered on that socket before its first reply comes. */
  clientCommandsBefore = 0;
  /** The trip that was written after it to the same connection, as long as it lacks replies itself. */
  next: Trip | undefined = undefined;
  /** It waits for earlier trips to its keys, which are on several connections. */
  isQueued = false;
  /** By `performance.now()`. */
  writtenAt = 0;
  /** How many of what was written are unanswered. */
  missing: number;
  /** Called once, when no connection has it in flight: the next trip to its keys may take any connection. */
  onGone: (() => void) | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #stopHearing: (() => void) | undefined = undefined;
  /** Whether one of its replies says why there is none. */
  #lacksReply = false;
  readonly #slots: Slot[];
  readonly #handler: ReplyHandler;

  /**
   * @param handler - Told its outcome: one reply for each command, or a `TransportError`.
   * @throws TransportError of kind `protocol` when a shared connection can't carry a command, TypeError when an
   *   argument is none: before anything is written.
   */
  constructor(commands: readonly Command[], isAtomic: boolean, handler: ReplyHandler) {
    this.commands = commands;
    this.isAtomic = isAtomic;
    this.errorDepth = isAtomic ? 1 : 0;
    this.bytes = wireBytes(commands);
    this.wire = isAtomic ? [["MULTI"], ...commands, ["EXEC"]] : commands;
    this.missing = this.wire.length;
    this.#slots = this.wire.map(() => null);
    this.#handler = handler;
  }

  /**
   * Ends it at its deadline or when its caller's signal fires, whichever comes first. No timer and no listener
   * outlives it.
   *
   * @param nowMs - The present, by `performance.now()`.
   */
  startTimeout({ deadlineMs, signal, server, onEnd }: TripTimeout, nowMs: number = performance.now()): void {
    // The sum of two times is not exact.
    const timeoutMs = Math.max(1, Math.ceil(deadlineMs - nowMs - 1e-6));
    const end = (timedOut: boolean): void => {
      const written = this.writtenTo !== undefined;
      if (!timedOut) this.end(abortedError(transportName, signal, written ? "unknown" : "none"));
      else this.end(this.isQueued ? queuedError(timeoutMs) : timeoutError(timeoutMs, written, server));
      onEnd(this, timedOut);
    };
    this.#timer = setTimeout(end, Math.min(timeoutMs, longestTimerMs), true);
    this.#stopHearing = signal && onAbort(signal, () => end(false));
  }

  /** Ends it with an error, if it has not ended. */
  end(error: TransportError): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.#timer);
    this.#stopHearing?.();
    this.#handler.failed(error);
  }

  /** A reply of ioredis. */
  reply(index: number, raw: unknown): void {
    // Converted at once: the raw bytes are views of whole network chunks, which they would keep in memory meanwhile.
    const convert = (each: unknown, command: Command | undefined): Slot => {
      const slot = toSlot(each, this.writtenTo?.nextLongInteger);
      return Array.isArray(slot) && command ? inRespTwo(command[0], slot as Reply) : slot;
    };
    const isExec = this.isAtomic && index === this.wire.length - 1;
    this.#accept(
      index,
      isExec && Array.isArray(raw)
        ? raw.map((each, at) => convert(each, this.commands[at]))
        : convert(raw, this.wire[index]),
    );
  }

  /** The next reply, which was read straight from the socket. */
  take(reply: Slot): void {
    this.#accept(this.wire.length - this.missing, reply);
  }

  /** The connection has ended before all replies came. */
  connectionLost(error: TransportError): void {
    this.missing = 0;
    this.end(error);
  }

  fail(index: number, error: Error): void {
    if (isRefusal(error)) {
      this.reply(index, error);
      return;
    }
    if (this.writtenTo) this.end(this.writtenTo.toTransportError(error));
    if (--this.missing === 0) this.writtenTo?.completed(this);
  }

  #accept(index: number, slot: Slot): void {
    if (typeof slot === "object" && slot !== null) this.#noteRefusals(index, slot);
    if (!this.#isPossible(index, slot)) {
      this.writtenTo?.invalidReply(`a reply to ${this.wire[index]?.[0]} that it can't have`);
    }
    this.#slots[index] = slot;
    if (--this.missing !== 0) return;
    if (!this.settled) {
      let answer: Reply[] | TransportError = this.#slots as Reply[];
      if (this.isAtomic) answer = atomicReplies(this.#slots);
      else if (this.#lacksReply) answer = replies(this.#slots);
      if (answer instanceof Error) {
        this.end(answer);
      } else {
        this.settled = true;
        clearTimeout(this.#timer);
        this.#stopHearing?.();
        this.#handler.answered(answer);
      }
    }
    this.writtenTo?.completed(this);
  }

  #noteRefusals(index: number, slot: Slot): void {
    const isDone = this.isAtomic && index === this.wire.length - 1 && Array.isArray(slot);
    for (const each of isDone ? (slot as readonly Slot[]) : [slot]) {
      if (!(each instanceof Error) || !isTransportError(each)) continue;
      this.#lacksReply = true;
      if (each.kind !== "unreachable") continue;
      this.isRefused = true;
      this.writtenTo?.notReady();
    }
  }

  /** Whether a reply can be the one to the command that stands there. */
  #isPossible(index: number, slot: Slot): boolean {
    const last = this.wire.length - 1;
    if (!this.isAtomic) {
      // A value may be this text too.
      if (slot === "QUEUED" && this.writtenTo?.isQueued) return false;
      return slot instanceof Error || isPossibleReply(this.commands[index] as Command, slot as Reply);
    }
    if (slot instanceof Error) return true;
    if (index === 0) return slot === "OK";
    if (index < last) return slot === "QUEUED";
    if (!Array.isArray(slot)) return slot === null;
    return (
      slot.length === this.commands.length &&
      slot.every((each, at) => each instanceof Error || isPossibleReply(this.commands[at] as Command, each as Reply))
    );
  }
}

function toSlot(raw: unknown, nextLongInteger: ConnectionCallbacks["nextLongInteger"] | undefined): Slot {
  return raw instanceof Error ? errorFromRedis(raw.message, transportName) : toReply(raw, nextLongInteger);
}

/**
 * About how many bytes commands take on the wire, exact enough to tell large from small.
 *
 * @throws as the constructor says
 */
function wireBytes(commands: readonly Command[]): number {
  let bytes = 0;
  for (const command of commands) {
    if (ownConnectionOnly.has(command[0].toUpperCase())) assertShareable(command);
    for (const part of command) {
      if (typeof part === "string" || part instanceof Uint8Array) bytes += part.length + 10;
      else if (typeof part === "number") bytes += 20;
      else {
        const type = part === null ? "null" : typeof part;
        throw new TypeError(`Expected the arguments of ${command[0]} to be strings, numbers or bytes, got ${type}`);
      }
    }
  }
  return bytes;
}
