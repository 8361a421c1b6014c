import { type Claim, createClaim } from "../claims/claim.ts";
import { isWrite, keysOf } from "../commands/command-facts.ts";
import { isCommandError } from "../errors/command-error.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { deliverInHalves, largeBatch } from "../time/deliver-in-halves.ts";
import { whenAllAbort } from "../time/on-abort.ts";
import { tickEnd } from "../time/platform.ts";
import { answerSyncOf, type Dispatch, dispatchOf, type ReplyHandler, RoundTrip } from "../trips/round-trip.ts";
import {
  type BatchedCall,
  type Batcher,
  type BatcherOptions,
  callsOf,
  isWaitedFor,
  type Segment,
} from "./batched-call.ts";
import { expiredError } from "./call-errors.ts";

/**
 * One MGET may carry this many keys. Upstash limits a command's answer to 10 MB, so it would refuse a larger MGET of
 * values of the greatest default size (100 KB) as a whole.
 */
const maxKeysPerRead = 100;

/** Batches depart with the tick that has opened them. What is open for longer may have lost its tick. */
const longTickMs = 10;

/** A batch that has not ended so long after its deadline has vanished. */
const graceMs = 200;

/** The calls that travel together. It hears what becomes of their round trip. */
class Batch implements ReplyHandler {
  readonly openedMs: number;
  readonly atomic: boolean;
  readonly fallback: boolean;
  readonly timeoutMs: number;
  segments: Segment[] = [];
  /** The reads that a further read may join, and the keys written since then, which it may not be moved before. */
  reads: Map<string, BatchedCall[]> | undefined = undefined;
  written: TextMap<true> | undefined = undefined;
  /** Whether one of its commands changes what is stored. */
  writes = false;
  /** Whether one of its calls has no signal, so that it is waited for until it ends. */
  isAwaited = false;
  /** Whether one of its calls has a signal, which may settle it before the batch departs. */
  hasSignals = false;
  invalidates: Set<string> | undefined = undefined;
  /** How many calls have joined it. */
  calls = 0;
  /** Asks its calls whether they are still waited for; undefined when one does not say, which means that it is. */
  wanted: (() => boolean)[] | undefined;
  readonly #parts: BatchParts;
  /** By then, of `performance.now()`, it has ended, or has vanished with the request that sent it. */
  #lostMs = Number.POSITIVE_INFINITY;
  /** What has to be read again, key by key. */
  #again: Batch | undefined = undefined;
  #isOver = false;
  /** By this others wait for its end. */
  #claim: Claim | undefined = undefined;
  #stopHearing: (() => void) | undefined = undefined;

  constructor(parts: BatchParts, openedMs: number, options: SendOptions, timeoutMs: number) {
    this.#parts = parts;
    this.openedMs = openedMs;
    this.atomic = options.atomic ?? false;
    this.fallback = options.fallback ?? true;
    this.timeoutMs = timeoutMs;
    this.wanted = options.isWanted && [];
  }

  /**
   * Whether a call may join it. A call with less time than the others travels alone: whatever answers has to know when the
   * answer is due.
   */
  takes({ atomic = false, fallback = true }: SendOptions, timeoutMs: number): boolean {
    return !atomic && !this.atomic && this.fallback === fallback && this.timeoutMs === timeoutMs;
  }

  /** Notes what a call writes. */
  noteWrites(commands: readonly Command[]): void {
    for (const command of commands) {
      if (!isWrite(command)) continue;
      this.writes = true;
      if (!this.reads) continue;
      const keys = keysOf(command);
      if (keys === "database") {
        this.reads = undefined;
        continue;
      }
      this.written ??= new TextMap();
      for (const key of keys) this.written.set(key, true);
    }
  }

  /** Takes a read, into an earlier one where it may. */
  read(key: string, call: BatchedCall): void {
    const { reads } = this;
    const mayJoin = this.#parts.mergesReads && !this.written?.has(key);
    if (mayJoin && reads && (reads.has(key) || reads.size < maxKeysPerRead)) {
      const calls = reads.get(key);
      if (calls) calls.push(call);
      else reads.set(key, [call]);
      return;
    }
    this.reads = new Map([[key, [call]]]);
    this.written = undefined;
    this.segments.push({ kind: "reads", keys: this.reads });
  }

  depart(): void {
    if (this.hasSignals) this.segments = this.segments.filter(isWaitedFor);
    if (this.segments.length === 0) {
      this.#isOver = true;
      return;
    }
    const { dispatch, inFlight, counts } = this.#parts;
    const commands: Command[] = [];
    for (const segment of this.segments) {
      // MGET for one key too: what a read answers for a key of another type must not depend on what else this tick reads.
      if (segment.kind === "reads") commands.push(["MGET", ...segment.keys.keys()]);
      else commands.push(...segment.commands);
    }
    if (counts) {
      counts.trips++;
      counts.commands += commands.length;
    }
    const nowMs = performance.now();
    while (inFlight[0]?.forgetIfLost(nowMs));
    inFlight.push(this);
    this.#lostMs = nowMs + this.timeoutMs + graceMs;
    const { wanted } = this;
    const signal = this.isAwaited ? undefined : this.#signalOfAll();
    const options: { -readonly [Name in keyof SendOptions]: SendOptions[Name] } = { timeoutMs: this.timeoutMs };
    if (signal) options.signal = signal;
    if (this.atomic) options.atomic = true;
    if (!this.fallback) options.fallback = false;
    if (this.invalidates) options.invalidates = [...this.invalidates];
    if (wanted) options.isWanted = () => wanted.some((isWanted) => isWanted());
    dispatch(new RoundTrip(commands, options, this.timeoutMs, this.writes), this);
  }

  answered(replies: Reply[]): void {
    const { calls } = this;
    if (calls < largeBatch) {
      this.#handOut(replies, 0, calls);
      return;
    }
    const { transport, inFlight } = this.#parts;
    let others = -calls;
    for (const batch of inFlight) others += batch.calls;
    deliverInHalves(transport, others, calls, (from, to) => this.#handOut(replies, from, to));
  }

  /** Hands the replies to some of the calls, by their places among all. Those of all end it. */
  #handOut(replies: readonly Reply[], from: number, to: number): void {
    const isLast = to === this.calls;
    if (isLast) this.#end();
    const nowMs = performance.now();
    const split: Segment[] = [];
    let at = 0;
    let nth = 0;
    for (const segment of this.segments) {
      if (segment.kind === "commands") {
        if (nth >= from && nth < to) segment.call.answered(replies, at, "unknown", nowMs);
        nth++;
        at += segment.commands.length;
        continue;
      }
      const reply = replies[at++] as Reply;
      if (isCrossSlot(reply) && segment.keys.size > 1) {
        if (!isLast) continue;
        for (const [key, calls] of segment.keys) split.push({ kind: "reads", keys: new Map([[key, calls]]) });
        continue;
      }
      const isList = Array.isArray(reply);
      const values: readonly Reply[] = isList ? reply : [reply];
      let index = 0;
      for (const calls of segment.keys.values()) {
        for (const call of calls) {
          if (nth >= from && nth < to) call.answered(values, index, "none", nowMs);
          nth++;
        }
        if (isList) index++;
      }
    }
    if (split.length > 0) this.#readAgain(split);
  }

  failed(error: unknown): void {
    this.#end();
    for (const segment of this.segments) for (const call of callsOf(segment)) call.failed(error);
  }

  /** The server is a Redis Cluster: its keys live in different places, so from now on each is asked for by itself. */
  #readAgain(segments: Segment[]): void {
    this.#parts.mergesReads = false;
    const { atomic, fallback, timeoutMs } = this;
    this.#again = new Batch(this.#parts, this.openedMs, { atomic, fallback }, timeoutMs);
    this.#again.segments = segments;
    this.#again.calls = this.calls;
    this.#again.isAwaited = this.isAwaited;
    this.#again.wanted = this.wanted;
    this.#again.hasSignals = this.hasSignals;
    this.#again.depart();
  }

  /** Whether it has vanished: then it is not in flight any more. */
  forgetIfLost(nowMs: number): boolean {
    return this.#lostMs <= nowMs && this.#leave();
  }

  /** Resolves when it has ended, or has vanished with the request that sent it. */
  async over(): Promise<void> {
    if (!this.#isOver) {
      this.#claim ??= createClaim({ timeoutMs: this.timeoutMs + graceMs, renewMs: Number.POSITIVE_INFINITY });
      await this.#claim.released();
    }
    await this.#again?.over();
  }

  /** A signal that fires when no call waits for the batch any more. */
  #signalOfAll(): AbortSignal {
    const { signal, stop } = whenAllAbort(this.segments.flatMap(callsOf).map((call) => call.signal));
    this.#stopHearing = stop;
    return signal;
  }

  #end(): void {
    this.#isOver = true;
    this.#stopHearing?.();
    this.#leave();
    this.#claim?.release();
  }

  /** @returns whether it was in flight */
  #leave(): boolean {
    const { inFlight } = this.#parts;
    const at = inFlight.indexOf(this);
    if (at >= 0) inFlight.splice(at, 1);
    return at >= 0;
  }
}

/** What all batches of a batcher share. */
interface BatchParts {
  readonly transport: Transport;
  readonly dispatch: Dispatch;
  /** The batches under way, the oldest first. No `Set`, as in a ledger. */
  readonly inFlight: Batch[];
  /** Whether the server reads keys of different slots together: a Redis Cluster does not. */
  mergesReads: boolean;
  readonly counts: BatcherOptions["counts"];
}

/**
 * Collects the calls of one tick into one round trip. The order of reads and writes of a key is kept: a read joins an
 * earlier MGET only if nothing wrote its key in between.
 */
export function createBatcher(transport: Transport, { timeoutMs, counts }: BatcherOptions): Batcher {
  let open: Batch[] = [];
  let scheduledMs = 0;
  const afterThisTick = tickEnd();
  const inFlight: Batch[] = [];
  const parts: BatchParts = { transport, dispatch: dispatchOf(transport), inFlight, mergesReads: true, counts };
  const answerSync = answerSyncOf(transport);
  let isCollecting = false;

  /** Sees to it that the open batches depart, though the call that opened them may have vanished with its tick. */
  const schedule = (nowMs: number): void => {
    if (open.length > 0 && nowMs - scheduledMs < longTickMs) return;
    const isLate = (batch: Batch): boolean => nowMs - batch.openedMs >= batch.timeoutMs;
    for (const batch of open.filter(isLate)) batch.failed(expiredError(transport.name));
    open = open.filter((batch) => !isLate(batch));
    scheduledMs = nowMs;
    afterThisTick(departAll);
  };

  const batchFor = (options: SendOptions, { signal, startedMs: nowMs }: BatchedCall): Batch => {
    schedule(nowMs);
    const ownMs = options.timeoutMs ?? timeoutMs;
    let batch = open.at(-1);
    if (!batch?.takes(options, ownMs)) {
      batch = new Batch(parts, nowMs, options, ownMs);
      open.push(batch);
    }
    batch.calls++;
    if (signal) batch.hasSignals = true;
    else batch.isAwaited = true;
    if (options.isWanted) batch.wanted?.push(options.isWanted);
    else batch.wanted = undefined;
    for (const glob of options.invalidates ?? []) {
      batch.invalidates ??= new Set();
      batch.invalidates.add(glob);
    }
    return batch;
  };

  /** Answers without waiting where that is possible. @throws TransportError as a batch fails. */
  const answer = (commands: readonly Command[], options: SendOptions): Reply[] | undefined => {
    if (isCollecting || open.length > 0) return undefined;
    const replies = answerSync?.(commands, options);
    if (replies && counts) {
      counts.trips++;
      counts.commands += commands.length;
    }
    return replies;
  };

  const readNow: Batcher["readNow"] = (key, options, call) => {
    const reply = answerSync && answer([["MGET", key]], options)?.[0];
    if (reply === undefined) return false;
    call.answered(Array.isArray(reply) ? reply : [reply], 0, "none");
    return true;
  };

  const departAll = (): void => {
    const leaving = open;
    open = [];
    for (const batch of leaving) batch.depart();
  };

  return {
    send(commands, options, call) {
      if (call.isSettled) return;
      const replies = answer(commands, options);
      if (replies) {
        call.answered(replies, 0, "unknown");
        return;
      }
      const batch = batchFor(options, call);
      batch.noteWrites(commands);
      batch.segments.push({ kind: "commands", commands, call });
    },
    read(key, options, call) {
      if (!call.isSettled && !readNow(key, options, call)) batchFor(options, call).read(key, call);
    },
    readNow,
    collect(work) {
      isCollecting = true;
      try {
        return work();
      } finally {
        isCollecting = false;
      }
    },
    async settled() {
      if (open.length > 0) {
        afterThisTick(departAll);
        await new Promise<void>((resolve) => afterThisTick(resolve));
      }
      const nowMs = performance.now();
      for (const batch of [...inFlight]) if (!batch.forgetIfLost(nowMs)) await batch.over();
    },
  };
}

const isCrossSlot = (reply: Reply): boolean =>
  !Array.isArray(reply) && isCommandError(reply) && reply.code === "CROSSSLOT";
