import {
  type Command,
  errorFromRedis,
  isPossibleReply,
  isTransportError,
  type Reply,
  type ReplyHandler,
  type TransportError,
} from "@continuum-cache/core";
import { atomicReplies, replies, type Slot } from "./replies.ts";
import { toReply } from "./reply.ts";
import { inRespTwo } from "./resp-two.ts";
import { isRefusal, transportName } from "./tcp-error.ts";
import { type AnswerSink, wireBytes } from "./wire-command.ts";

/** What a trip asks of the connection that has written it. */
export interface Carrier {
  /** Whether the reply that is being handed out says that its command was queued by MULTI. */
  readonly isQueued: boolean;
  /** The next integer of that reply which the client has rounded, as it came. */
  nextLongInteger(): number | undefined;
  /** What the end of the connection means to the trips on it. */
  broken(error: Error): TransportError;
  /** A reply has come that its command can't have. No reply on this connection can be trusted any more. */
  impossible(problem: string): void;
  /** The server has refused a command because it isn't ready, or no primary. */
  refused(): void;
  /** Nothing more comes for this trip. */
  paid(trip: Trip): void;
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
  /** What is written: the commands, with MULTI and EXEC around them when they are atomic. */
  readonly wire: readonly Command[];
  readonly bytes: number;
  /** Whether its outcome has been told. */
  settled = false;
  /** The server has refused one of its commands because it isn't ready, or no primary. */
  isRefused = false;
  /** The connection that has written it; while there is none, it surely has not reached the server. */
  writtenTo: Carrier | undefined = undefined;
  /** It waits for earlier trips to its keys, which are on several connections. */
  isQueued = false;
  /** By `performance.now()`. */
  writtenAt = 0;
  /** How many of what was written are unanswered. */
  missing: number;
  /** How many commands of the client itself must be answered on its connection before its first reply comes. */
  clientCommandsBefore = 0;
  /** Called once, just before its outcome is told. */
  onSettled: (() => void) | undefined = undefined;
  /** Called once, when no connection owes it anything: the next trip to its keys may go any way. */
  onGone: (() => void) | undefined = undefined;
  readonly #atomic: boolean;
  readonly #slots: Slot[];
  readonly #handler: ReplyHandler;

  /** @param handler - Told its outcome: one reply for each command, or a `TransportError`. */
  constructor(commands: readonly Command[], atomic: boolean, handler: ReplyHandler) {
    this.commands = commands;
    this.wire = atomic ? [["MULTI"], ...commands, ["EXEC"]] : commands;
    this.missing = this.wire.length;
    this.#atomic = atomic;
    this.#slots = this.wire.map(() => null);
    let bytes = 0;
    for (const command of this.wire) bytes += wireBytes(command);
    this.bytes = bytes;
    this.#handler = handler;
  }

  /** Decides it early, or for good where its connection broke. */
  end(error: TransportError): void {
    if (this.settled) return;
    this.settled = true;
    this.onSettled?.();
    this.#handler.failed(error);
  }

  /** A reply of ioredis. */
  reply(index: number, raw: unknown): void {
    // Converted at once: the raw bytes are views of whole network chunks, which they would keep in memory meanwhile.
    const convert = (each: unknown): Slot => toSlot(each, this.writtenTo?.nextLongInteger);
    this.#accept(index, this.#isExec(index) && Array.isArray(raw) ? raw.map(convert) : convert(raw));
  }

  /** In how many arrays of the next reply an error may stand that tells of the connection: the replies of EXEC have one. */
  get errorDepth(): 0 | 1 {
    return this.#isExec(this.wire.length - this.missing) ? 1 : 0;
  }

  /** The next reply, which was read straight from the socket. */
  take(reply: Slot): void {
    this.#accept(this.wire.length - this.missing, reply);
  }

  /** The connection has ended before all replies came. */
  lose(error: TransportError): void {
    this.missing = 0;
    this.end(error);
  }

  fail(index: number, error: Error): void {
    if (isRefusal(error)) {
      this.reply(index, error);
      return;
    }
    if (this.writtenTo) this.end(this.writtenTo.broken(error));
    this.#count();
  }

  /** Whether a reply can be the one to the command that stands there. */
  #isPossible(index: number, slot: Slot): boolean {
    const isQueued = this.writtenTo?.isQueued ?? false;
    const last = this.wire.length - 1;
    if (!this.#atomic) return !isQueued && fits(this.commands[index] as Command, slot);
    if (isError(slot)) return true;
    if (index === 0) return slot === "OK" && !isQueued;
    if (index < last) return slot === "QUEUED";
    if (!Array.isArray(slot)) return slot === null;
    return slot.length === this.commands.length && slot.every((each, at) => fits(this.commands[at] as Command, each));
  }

  #isExec(index: number): boolean {
    return this.#atomic && index === this.wire.length - 1;
  }

  #accept(index: number, reply: Slot): void {
    const slot =
      this.#isExec(index) && Array.isArray(reply)
        ? (reply as readonly Slot[]).map((each, at) => this.#sort(each, this.commands[at]))
        : this.#sort(reply, this.wire[index]);
    if (!this.#isPossible(index, slot)) {
      this.writtenTo?.impossible(`a reply to ${this.wire[index]?.[0]} that it can't have`);
    }
    this.#slots[index] = slot;
    this.#count();
  }

  #sort(slot: Slot, command: Command | undefined): Slot {
    if (Array.isArray(slot)) return command ? inRespTwo(command[0], slot as Reply) : slot;
    if (isTransportError(slot) && slot.kind === "unreachable") {
      this.isRefused = true;
      this.writtenTo?.refused();
    }
    return slot;
  }

  #count(): void {
    if (--this.missing > 0) return;
    this.#answer();
    this.writtenTo?.paid(this);
  }

  #answer(): void {
    if (this.settled) return;
    let answer: Reply[];
    try {
      answer = this.#atomic ? atomicReplies(this.#slots) : replies(this.#slots);
    } catch (error) {
      this.end(error as TransportError);
      return;
    }
    this.settled = true;
    this.onSettled?.();
    this.#handler.answered(answer);
  }
}

const isError = (slot: Slot): boolean => slot instanceof Error;

const fits = (command: Command, slot: Slot): boolean =>
  slot instanceof Error || isPossibleReply(command, slot as Reply);

function toSlot(raw: unknown, nextLongInteger: Carrier["nextLongInteger"] | undefined): Slot {
  return raw instanceof Error ? errorFromRedis(raw.message, transportName) : toReply(raw, nextLongInteger);
}
