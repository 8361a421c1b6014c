import { type Claim, createClaim } from "../claims/claim.ts";
import { createExpiringSet } from "../claims/expiring-set.ts";
import { isWrite, keysOf } from "../commands/command-table.ts";
import { isCommandError } from "../errors/command-error.ts";
import { errorFromRedis } from "../errors/error-from-redis.ts";
import { isTransportError, TransportError, type TransportErrorDetails } from "../errors/transport-error.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { afterThisTick } from "../time/next-tick.ts";
import { onAbort } from "../time/on-abort.ts";
import { type Dispatch, dispatchOf, type ReplyHandler, RoundTrip } from "../trips/round-trip.ts";
import type { BatchedCall } from "./call.ts";

/** Collects the calls of one tick into round trips. */
export interface Batcher {
  /** Sends a call's commands, next to each other and in this order, with whatever else this tick sends. */
  send(commands: readonly Command[], options: SendOptions, call: BatchedCall): void;
  /**
   * Reads one string, and answers the call with one reply. All reads of a tick share one MGET, which Upstash bills once;
   * equal keys are asked once.
   */
  read(key: string, options: SendOptions, call: BatchedCall): void;
  /** Resolves when everything that was sent so far has been answered. */
  settled(): Promise<void>;
}

/** What a batcher has to know. */
export interface BatcherOptions {
  /** The deadline of calls that bring none. */
  readonly timeoutMs: number;
  /** Called for each round trip, with how many commands it carries. */
  readonly onTrip?: (commands: number) => void;
}

/**
 * One MGET may carry this many keys. Upstash limits a command's answer to 10 MB, so it would refuse a larger MGET of
 * values of the greatest default size (100 KB) as a whole.
 */
const maxKeysPerRead = 100;

/** Batches depart with the tick that has opened them. What is open for longer may have lost its tick. */
const longTickMs = 10;

/** A batch that has not ended so long after its deadline has vanished. */
const graceMs = 200;

/** Consecutive commands of one call, or the reads of many calls. */
type Segment =
  | { readonly kind: "commands"; readonly commands: readonly Command[]; readonly call: BatchedCall }
  | { readonly kind: "reads"; readonly keys: Map<string, BatchedCall[]> };

/** The calls that travel together. It hears what becomes of their round trip. */
class Batch implements ReplyHandler {
  readonly openedMs: number;
  readonly atomic: boolean;
  readonly fallback: boolean;
  readonly timeoutMs: number;
  segments: Segment[] = [];
  /** The reads that a further read may join, and the keys written since then, which it may not be moved before. */
  reads: Map<string, BatchedCall[]> | undefined = undefined;
  readonly written = new TextMap<true>();
  invalidates: Set<string> | undefined = undefined;
  readonly #parts: BatchParts;
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
  }

  /**
   * Whether a call may join it. A call with less time than the others travels alone: whatever answers has to know when the
   * answer is due.
   */
  takes({ atomic = false, fallback = true }: SendOptions, timeoutMs: number): boolean {
    return !atomic && !this.atomic && this.fallback === fallback && this.timeoutMs === timeoutMs;
  }

  depart(): void {
    this.segments = this.segments.filter(isWaitedFor);
    if (this.segments.length === 0) {
      this.#isOver = true;
      return;
    }
    const { dispatch, inFlight, onTrip } = this.#parts;
    const commands: Command[] = [];
    for (const segment of this.segments) {
      if (segment.kind === "commands") commands.push(...segment.commands);
      else commands.push(readCommand(segment.keys));
    }
    onTrip?.(commands.length);
    inFlight.add(this, this.timeoutMs + graceMs);
    const signal = this.#wholeSignal();
    const options: SendOptions = {
      timeoutMs: this.timeoutMs,
      ...(signal && { signal }),
      ...(this.atomic && { atomic: true }),
      ...(!this.fallback && { fallback: false }),
      ...(this.invalidates && { invalidates: [...this.invalidates] }),
    };
    dispatch(new RoundTrip(commands, options, this.timeoutMs), this);
  }

  answered(replies: Reply[]): void {
    const { transport } = this.#parts;
    const split: Segment[] = [];
    let at = 0;
    for (const segment of this.segments) {
      if (segment.kind === "commands") {
        const { call, commands } = segment;
        settle(call, replies, at, commands.length, { transport });
        at += commands.length;
        continue;
      }
      const reply = replies[at++] as Reply;
      if (isCommandError(reply) && reply.code === "CROSSSLOT" && segment.keys.size > 1) {
        for (const [key, calls] of segment.keys) split.push({ kind: "reads", keys: new Map([[key, calls]]) });
      } else {
        handOut(segment.keys, reply, { transport, delivery: "none" });
      }
    }
    if (split.length > 0) this.#readAgain(split);
    this.#end();
  }

  failed(error: unknown): void {
    this.#end();
    for (const segment of this.segments) for (const call of callsOf(segment)) call.failed(error);
  }

  /** The server is a Redis Cluster: its keys live in different places, so from now on each is asked for by itself. */
  #readAgain(segments: Segment[]): void {
    this.#parts.onCrossSlot();
    const { atomic, fallback, timeoutMs } = this;
    this.#again = new Batch(this.#parts, this.openedMs, { atomic, fallback }, timeoutMs);
    this.#again.segments = segments;
    this.#again.depart();
  }

  /** Resolves when it has ended, or has vanished with the request that sent it. */
  async over(): Promise<void> {
    if (!this.#isOver) {
      this.#claim ??= createClaim({ timeoutMs: this.timeoutMs + graceMs, renewMs: Number.POSITIVE_INFINITY });
      await this.#claim.over();
    }
    await this.#again?.over();
  }

  #end(): void {
    this.#isOver = true;
    this.#stopHearing?.();
    this.#parts.inFlight.delete(this);
    this.#claim?.end();
  }

  /** A signal that fires when no call waits for the batch any more: each of them has a signal, and each has fired. */
  #wholeSignal(): AbortSignal | undefined {
    const signals = new Set<AbortSignal>();
    for (const segment of this.segments) {
      for (const { signal } of callsOf(segment)) {
        if (signal === undefined) return undefined;
        signals.add(signal);
      }
    }
    const controller = new AbortController();
    const look = (): void => {
      if ([...signals].every(({ aborted }) => aborted)) controller.abort();
    };
    const stops = [...signals].map((signal) => onAbort(signal, look));
    this.#stopHearing = () => {
      for (const stop of stops) stop();
    };
    return controller.signal;
  }
}

/** What all batches of a batcher share. */
interface BatchParts extends Pick<BatcherOptions, "onTrip"> {
  /** The transport's name. */
  readonly transport: string;
  readonly dispatch: Dispatch;
  readonly inFlight: ReturnType<typeof createExpiringSet<Batch>>;
  /** The server is a Redis Cluster, which does not read keys of different slots together. */
  onCrossSlot(): void;
}

/**
 * Collects the calls of one tick into one round trip. The order of reads and writes of a key is kept: a read joins an
 * earlier MGET only if nothing wrote its key in between.
 */
export function createBatcher(transport: Transport, { timeoutMs, onTrip }: BatcherOptions): Batcher {
  let open: Batch[] = [];
  let mergesReads = true;
  let scheduledMs = 0;
  const inFlight = createExpiringSet<Batch>();
  const parts: BatchParts = {
    transport: transport.name,
    dispatch: dispatchOf(transport),
    inFlight,
    ...(onTrip && { onTrip }),
    onCrossSlot() {
      mergesReads = false;
    },
  };

  /** Sees to it that the open batches depart, though the call that opened them may have vanished with its tick. */
  const schedule = (nowMs: number): void => {
    if (open.length > 0 && nowMs - scheduledMs < longTickMs) return;
    const isLate = (batch: Batch): boolean => nowMs - batch.openedMs >= batch.timeoutMs;
    for (const batch of open.filter(isLate)) batch.failed(lateError(transport));
    open = open.filter((batch) => !isLate(batch));
    scheduledMs = nowMs;
    afterThisTick(departAll);
  };

  const batchFor = (options: SendOptions): Batch => {
    const nowMs = performance.now();
    schedule(nowMs);
    const ownMs = options.timeoutMs ?? timeoutMs;
    let batch = open.at(-1);
    if (!batch?.takes(options, ownMs)) {
      batch = new Batch(parts, nowMs, options, ownMs);
      open.push(batch);
    }
    for (const glob of options.invalidates ?? []) {
      batch.invalidates ??= new Set();
      batch.invalidates.add(glob);
    }
    return batch;
  };

  const departAll = (): void => {
    const leaving = open;
    open = [];
    for (const batch of leaving) batch.depart();
  };

  return {
    send(commands, options, call) {
      if (call.isSettled) return;
      const batch = batchFor(options);
      for (const command of commands) {
        if (!isWrite(command)) continue;
        const keys = keysOf(command);
        if (keys === "database") batch.reads = undefined;
        else for (const key of keys) batch.written.set(key, true);
      }
      batch.segments.push({ kind: "commands", commands, call });
    },
    read(key, options, call) {
      if (call.isSettled) return;
      const batch = batchFor(options);
      const { reads } = batch;
      if (reads && mergesReads && (reads.has(key) || reads.size < maxKeysPerRead) && !batch.written.has(key)) {
        const calls = reads.get(key);
        if (calls) calls.push(call);
        else reads.set(key, [call]);
        return;
      }
      batch.reads = new Map([[key, [call]]]);
      batch.written.clear();
      batch.segments.push({ kind: "reads", keys: batch.reads });
    },
    async settled() {
      if (open.length > 0) {
        afterThisTick(departAll);
        await new Promise<void>((resolve) => afterThisTick(resolve));
      }
      for (const batch of [...inFlight]) await batch.over();
    },
  };
}

const lateError = ({ name }: Transport): TransportError =>
  new TransportError(
    "timeout",
    "The call's time was over before it could be sent (do less at once, or raise `timeout`)",
    {
      transport: name,
      delivery: "none",
      queued: true,
    },
  );

/** Hands an MGET's values to the calls that asked for them. */
function handOut(keys: Map<string, BatchedCall[]>, reply: Reply, details: TransportErrorDetails): void {
  const isList = Array.isArray(reply);
  const values: readonly Reply[] = isList ? reply : [reply];
  let index = 0;
  for (const calls of keys.values()) {
    for (const call of calls) settle(call, values, index, 1, details);
    if (isList) index++;
  }
}

/**
 * A command that was too large among others is told to its caller as it would be alone: a call's error tells nothing of its
 * neighbors.
 */
function settle(
  call: BatchedCall,
  replies: readonly Reply[],
  at: number,
  count: number,
  details: TransportErrorDetails,
): void {
  const refusal = count === 1 ? tooLargeIn(replies[at] as Reply) : undefined;
  if (refusal === undefined) call.answered(replies, at);
  else call.failed(new TransportError("too-large", refusal, details));
}

/** What Redis says of a reply, or of a part of it, that is too large. */
function tooLargeIn(reply: Reply): string | undefined {
  if (typeof reply !== "object" || reply === null || reply instanceof Uint8Array) return undefined;
  for (const element of Array.isArray(reply) ? (reply as readonly Reply[]) : [reply]) {
    if (!isCommandError(element)) continue;
    const sorted = errorFromRedis(element.message, "");
    if (isTransportError(sorted) && sorted.kind === "too-large") return element.message;
  }
  return undefined;
}

/** MGET for one key too: what a read answers for a key of another type must not depend on what else this tick reads. */
const readCommand = (keys: Map<string, BatchedCall[]>): Command => ["MGET", ...keys.keys()];

function* callsOf(segment: Segment): Iterable<BatchedCall> {
  if (segment.kind === "commands") yield segment.call;
  else for (const calls of segment.keys.values()) yield* calls;
}

/** Whether a call waits for a segment. Takes keys out of it for which none does: their calls were aborted. */
function isWaitedFor(segment: Segment): boolean {
  if (segment.kind === "commands") return !segment.call.isSettled;
  for (const [key, calls] of segment.keys) {
    if (calls.every((call) => call.isSettled)) segment.keys.delete(key);
  }
  return segment.keys.size > 0;
}
