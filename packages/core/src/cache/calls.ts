import { isWrite } from "../commands/command-facts.ts";
import { abortedError, closedError } from "../errors/call-errors.ts";
import { isCommandError } from "../errors/command-error.ts";
import type { NearStats } from "../ports/near-cache.ts";
import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import { onAbort } from "../time/on-abort.ts";
import type { BatchedCall, Batcher } from "./batched-call.ts";
import type { CacheEvents, WriteObserver } from "./cache-events.ts";
import type { Counts } from "./cache-stats.ts";
import { assertNotTooLarge } from "./call-errors.ts";
import type { ReadRequest, Request } from "./requests.ts";
import type { TransportUse } from "./transport-use.ts";

/** Runs requests, and counts and times each call. */
export interface Calls {
  /** Sends a request's commands. What `prepare` throws rejects. */
  one<Result>(prepare: () => PreparedCall<Result>): Promise<Result>;
  /** The same for a read of one string, which shares the tick's MGET. What `make` and `asked` throw rejects. */
  read<Result>(
    make: (key: string) => ReadRequest<Result>,
    key: string,
    asked: SendOptions | (() => SendOptions),
  ): Promise<Result>;
  /** Several such reads in one round trip, also where the transport answers without waiting. */
  readAll<Result>(requests: readonly ReadRequest<Result>[], options: SendOptions): Promise<Result[]>;
  /** The outcome of such a read where the transport answers without waiting; else `undefined`, and nothing was sent. */
  readNow<Result>(request: ReadRequest<Result>, options: SendOptions): PromiseSettledResult<Result> | undefined;
}

/** What to send, and what the caller asks of its round trip. */
export type PreparedCall<Result> = readonly [request: Request<Result>, options: SendOptions];

/** What calls are made of. */
export interface CallsParts {
  /** The transport's name. */
  readonly transport: string;
  readonly batcher: Batcher;
  readonly stats: StatsRecorder;
  readonly use: TransportUse;
  /** Told of commands before they are sent. */
  onSend(commands: readonly Command[]): void;
  /** Told of what was written, before the call resolves. */
  readonly observer?: WriteObserver;
}

export function createCalls({ transport, batcher, stats, use, onSend, observer }: CallsParts): Calls {
  const sent = <Result>(prepare: () => PreparedCall<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      const [request, options] = prepare();
      const { commands } = request;
      const call = new Call(request, options.signal, transport, { resolve, reject }, stats);
      // Without a command there is nothing to wait for: the value was skipped.
      if (commands.length === 0) return call.answered([], 0, "none");
      if (use.isOver) return call.failed(closedError(transport, "cache"));
      try {
        onSend(commands);
        batcher.send(commands, options, call);
      } catch (error) {
        call.failed(error);
      }
    });

  const read = <Result>(
    request: ReadRequest<Result>,
    options: SendOptions,
    promise: Settling<Result>,
    by: Batcher["read"] | Batcher["readNow"],
  ): void => {
    const call = new Call(request, options.signal, transport, promise, stats);
    request.options = options;
    request.startedMs = call.startedMs;
    try {
      if (use.isOver) throw closedError(transport, "cache");
      by(request.fullKey, options, call);
    } catch (error) {
      call.failed(error);
    }
  };

  const observed = async <Result>(prepare: () => PreparedCall<Result>, observe: WriteObserver): Promise<Result> => {
    const [request, options] = prepare();
    const { operation, commands } = request;
    const replies = await sent(() => [raw(operation, commands), options]);
    try {
      if (options.invalidates || commands.some(isWrite)) await observe(commands, replies, options);
      return request.read(replies, 0);
    } catch (error) {
      stats.counts.errors++;
      throw error;
    }
  };

  return {
    one: (prepare) => (observer ? observed(prepare, observer) : sent(prepare)),
    read: (make, key, asked) =>
      new Promise((resolve, reject) => {
        const request = make(key);
        const options = typeof asked === "function" ? asked() : asked;
        read(request, options, { resolve, reject }, batcher.read);
      }),
    readAll<Result>(requests: readonly ReadRequest<Result>[], options: SendOptions) {
      const reading = (request: ReadRequest<Result>): Promise<Result> =>
        new Promise((resolve, reject) => read(request, options, { resolve, reject }, batcher.read));
      return Promise.all(batcher.collect(() => requests.map(reading)));
    },
    readNow<Result>(request: ReadRequest<Result>, options: SendOptions) {
      let outcome: PromiseSettledResult<Result> | undefined;
      const promise: Settling<Result> = {
        resolve(value) {
          outcome = { status: "fulfilled", value };
        },
        reject(reason) {
          outcome = { status: "rejected", reason };
        },
      };
      read(request, options, promise, batcher.readNow);
      return outcome;
    },
  };
}

/** What settles a promise. */
interface Settling<Result> {
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** One call's part of a batch. It settles once: by its replies, by a failure, or by its caller's signal. */
export class Call<Result> implements BatchedCall {
  readonly signal: AbortSignal | undefined;
  readonly startedMs: number = performance.now();
  isSettled = false;
  readonly #request: Request<Result>;
  readonly #transport: string;
  readonly #promise: Settling<Result>;
  readonly #stats: StatsRecorder | undefined;
  readonly #stopHearing: (() => void) | undefined;

  /** @param stats - Counts it when it ends. */
  constructor(
    request: Request<Result>,
    signal: AbortSignal | undefined,
    transport: string,
    promise: Settling<Result>,
    stats?: StatsRecorder,
  ) {
    this.#request = request;
    this.#transport = transport;
    this.#promise = promise;
    this.#stats = stats;
    this.signal = signal;
    this.#stopHearing = signal && onAbort(signal, () => this.failed(abortedError(transport, signal, "unknown")));
    if (signal?.aborted) this.failed(abortedError(transport, signal, "none"));
  }

  answered(
    replies: readonly Reply[],
    at: number,
    delivery: "none" | "unknown",
    nowMs: number = performance.now(),
  ): void {
    if (this.isSettled) return;
    let result: Result;
    try {
      const reply = replies[at];
      if (typeof reply === "object" && reply !== null && this.#request.commands.length === 1) {
        assertNotTooLarge(reply, { transport: this.#transport, delivery });
      }
      result = this.#request.read(replies, at);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.isSettled = true;
    this.#stopHearing?.();
    this.#stats?.ended(this.#request.operation, nowMs - this.startedMs, false);
    this.#promise.resolve(result);
  }

  failed(error: unknown): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.#stopHearing?.();
    this.#stats?.ended(this.#request.operation, performance.now() - this.startedMs, true);
    this.#promise.reject(error);
  }
}

/** Commands whose replies the caller reads itself. */
export function raw(operation: string, commands: readonly Command[]): Request<Reply[]> {
  return { operation, commands, read: (replies, at) => replies.slice(at, at + commands.length) };
}

/** Several requests in one trip, each settled by itself. Those without a command send nothing. */
export function together(
  operation: string,
  requests: readonly Request<unknown>[],
): Request<PromiseSettledResult<unknown>[]> {
  return {
    operation,
    commands: requests.flatMap((request) => request.commands),
    read(replies, from) {
      let at = from;
      return requests.map((request) => {
        const outcome = settle(request, replies, at);
        at += request.commands.length;
        return outcome;
      });
    },
  };
}

function settle(request: Request<unknown>, replies: readonly Reply[], at: number): PromiseSettledResult<unknown> {
  const refused = replies.slice(at, at + request.commands.length).find(isCommandError);
  if (refused && !request.readsRefusals) return { status: "rejected", reason: refused };
  try {
    return { status: "fulfilled", value: request.read(replies, at) };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}

/** Counts what happens. */
export interface StatsRecorder {
  /** Each is counted where it happens. */
  readonly counts: Record<"hits" | "misses" | "errors" | "skipped" | "loads" | "commands" | "trips", number>;
  /** A call has ended that took so long. */
  ended(operation: string, durationMs: number, isFailure: boolean): void;
  /** @param near - What the near cache has done, whose hits count. */
  snapshot(near: NearStats | undefined): Counts;
}

/** A call that takes longer than this is told by a `slow` event, in milliseconds. */
const slowMs = 500;

/** Durations are counted in buckets that grow by 9 % each, so a summary is right to 9 % and its memory never grows. */
const bucketsPerDoubling = 8;
const smallestMs = 0.001;
const bucketCount = 30 * bucketsPerDoubling;

/** @param onSlow - Told of a call that has taken long. */
export function createStats(onSlow: (call: CacheEvents["slow"]) => void): StatsRecorder {
  const counts = { hits: 0, misses: 0, errors: 0, skipped: 0, loads: 0, commands: 0, trips: 0 };
  const durations = new Float64Array(bucketCount);
  let calls = 0;

  const percentile = (share: number): number => {
    if (calls === 0) return 0;
    let bucket = 0;
    for (let seen = durations[0] as number; seen < calls * share; seen += durations[bucket] as number) bucket++;
    return smallestMs * 2 ** ((bucket + 0.5) / bucketsPerDoubling);
  };

  return {
    counts,
    ended(operation, durationMs, isFailure) {
      if (isFailure) counts.errors++;
      const bucket = Math.floor(Math.log2(durationMs / smallestMs) * bucketsPerDoubling);
      const index = Math.min(bucketCount - 1, Math.max(0, bucket));
      durations[index] = (durations[index] as number) + 1;
      calls++;
      if (durationMs > slowMs) onSlow({ operation, durationMs });
    },
    snapshot(near) {
      const hits = counts.hits + (near?.hits ?? 0);
      return {
        ...counts,
        hits,
        hitRate: hits === 0 ? 0 : hits / (hits + counts.misses),
        latency: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) },
        near,
      };
    },
  };
}
