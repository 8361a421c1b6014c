import { type Claim, createClaim } from "../claims/claim.ts";
import { isWrite, keysOf } from "../commands/command-facts.ts";
import { isCommandError } from "../errors/command-error.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { deliverInHalves, largeBatch } from "../time/deliver-in-halves.ts";
import { whenAllAbort } from "../time/on-abort.ts";
import { tickEnd } from "../time/platform.ts";
import { type Dispatch, dispatchOf, type ReplyHandler, RoundTrip } from "../trips/round-trip.ts";
import {
  type BatchedCall,
  type Batcher,
  type BatcherOptions,
  callsOf,
  isWaitedFor,
  type Segment,
} from "./batched-call.ts";
import { expiredError } from "./call-errors.ts";
import { createSyncCalls } from "./sync-calls.ts";

/** The most keys of one MGET. More values of the default size limit (100 KB) could exceed Upstash's 10 MB a reply. */
const maxKeysPerRead = 100;

/** A batch departs at the end of the tick that opened it. A batch that is open for longer may have lost its tick. */
const longTickMs = 10;

/** A batch that has not ended so long after its deadline has vanished. */
const graceMs = 200;

/** The calls that travel together, and the handler of their round trip. */
class Batch implements ReplyHandler {
  readonly openedMs: number;
  readonly timeoutMs: number;
  /** What the round trip is sent with. */
  readonly options: { -readonly [Name in keyof SendOptions]: SendOptions[Name] };
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
  /** By then, of `performance.now()`, it has ended, or has vanished with the request that sent it. */
  lostMs: number = Number.POSITIVE_INFINITY;
  readonly #parts: BatchParts;
  /** What has to be read again, key by key. */
  #again: Batch | undefined = undefined;
  #isOver = false;
  /** Made once something waits for its end. */
  #claim: Claim | undefined = undefined;
  #stopListening: (() => void) | undefined = undefined;

  constructor(parts: BatchParts, openedMs: number, { atomic, fallback, isWanted }: SendOptions, timeoutMs: number) {
    this.#parts = parts;
    this.openedMs = openedMs;
    this.timeoutMs = timeoutMs;
    this.options = { timeoutMs };
    if (atomic) this.options.atomic = true;
    if (fallback === false) this.options.fallback = false;
    if (parts.announce) this.options.announce = true;
    this.wanted = isWanted && [];
  }

  /** Whether a call may join it. A call with less time travels alone: the layers below have to know its deadline. */
  takes({ atomic = false, fallback = true }: SendOptions, timeoutMs: number): boolean {
    const own = this.options;
    return !atomic && !own.atomic && (own.fallback ?? true) === fallback && this.timeoutMs === timeoutMs;
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
      // MGET for one key too: the answer for a key that holds no string must not depend on the tick's other reads.
      if (segment.kind === "reads") commands.push(["MGET", ...segment.keys.keys()]);
      else commands.push(...segment.commands);
    }
    if (counts) {
      counts.trips++;
      counts.commands += commands.length;
    }
    const nowMs = performance.now();
    while (inFlight[0] && inFlight[0].lostMs <= nowMs) inFlight.shift();
    this.lostMs = nowMs + this.timeoutMs + graceMs;
    inFlight.push(this);
    const { options, wanted } = this;
    if (!this.isAwaited) {
      const all = whenAllAbort(this.segments.flatMap(callsOf).map((call) => call.signal));
      this.#stopListening = all.stop;
      options.signal = all.signal;
    }
    if (this.invalidates) options.invalidates = [...this.invalidates];
    if (wanted) options.isWanted = () => wanted.some((isWanted) => isWanted());
    dispatch(new RoundTrip(commands, options, this.timeoutMs, this.writes), this);
  }

  answered(replies: Reply[]): void {
    const { calls } = this;
    if (calls < largeBatch) {
      this.#deliver(replies, 0, calls);
      return;
    }
    const { transport, inFlight } = this.#parts;
    let others = -calls;
    for (const batch of inFlight) others += batch.calls;
    deliverInHalves(transport, others, calls, (from, to) => this.#deliver(replies, from, to));
  }

  /** Delivers the replies to the calls from `from` up to `to`, in their order. The last call ends the batch. */
  #deliver(replies: readonly Reply[], from: number, to: number): void {
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
    const { calls, isAwaited, hasSignals, wanted } = this;
    this.#again = new Batch(this.#parts, this.openedMs, this.options, this.timeoutMs);
    Object.assign(this.#again, { segments, calls, isAwaited, hasSignals, wanted });
    this.#again.depart();
  }

  /** Resolves when it has ended, or has vanished with the request that sent it. */
  async over(): Promise<void> {
    if (!this.#isOver) {
      this.#claim ??= createClaim({ timeoutMs: this.timeoutMs + graceMs, renewMs: Number.POSITIVE_INFINITY });
      await this.#claim.released();
    }
    await this.#again?.over();
  }

  #end(): void {
    this.#isOver = true;
    this.#stopListening?.();
    const { inFlight } = this.#parts;
    const at = inFlight.indexOf(this);
    if (at >= 0) inFlight.splice(at, 1);
    this.#claim?.release();
  }
}

/** What all batches of a batcher share. */
interface BatchParts extends Pick<BatcherOptions, "announce" | "counts"> {
  readonly transport: Transport;
  readonly dispatch: Dispatch;
  /** The batches in flight, the oldest first. No `Set`, as in a ledger. */
  readonly inFlight: Batch[];
  /** Whether the server reads keys of different slots together: a Redis Cluster does not. */
  mergesReads: boolean;
}

/**
 * Collects the calls of one tick into one round trip. The order of reads and writes of a key is kept: a read joins an
 * earlier MGET only if nothing wrote its key in between.
 */
export function createBatcher(transport: Transport, { timeoutMs, announce, counts }: BatcherOptions): Batcher {
  let open: Batch[] = [];
  let scheduledMs = 0;
  const afterThisTick = tickEnd();
  const inFlight: Batch[] = [];
  const own = { mergesReads: true, announce, counts };
  const parts: BatchParts = { transport, dispatch: dispatchOf(transport), inFlight, ...own };
  const sync = createSyncCalls(transport, counts, () => open.length === 0);

  /** Schedules the departure of the open batches, also after the call that opened them has vanished with its tick. */
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
    if (options.invalidates) batch.invalidates = new Set([...(batch.invalidates ?? []), ...options.invalidates]);
    return batch;
  };

  const departAll = (): void => {
    const leaving = open;
    open = [];
    for (const batch of leaving) batch.depart();
  };

  return {
    send(commands, options, call) {
      if (call.isSettled || sync?.send(commands, options, call)) return;
      const batch = batchFor(options, call);
      batch.noteWrites(commands);
      batch.segments.push({ kind: "commands", commands, call });
    },
    read(key, options, call) {
      if (!call.isSettled && !sync?.read(key, options, call)) batchFor(options, call).read(key, call);
    },
    readNow: (key, options, call) => sync?.read(key, options, call) ?? false,
    collect: (work) => (sync ? sync.collect(work) : work()),
    async settled() {
      if (open.length > 0) {
        afterThisTick(departAll);
        await new Promise<void>((resolve) => afterThisTick(resolve));
      }
      const nowMs = performance.now();
      for (const batch of inFlight.filter(({ lostMs }) => lostMs > nowMs)) await batch.over();
    },
  };
}

const isCrossSlot = (reply: Reply): boolean =>
  !Array.isArray(reply) && isCommandError(reply) && reply.code === "CROSSSLOT";
