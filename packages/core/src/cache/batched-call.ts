import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import type { StatsRecorder } from "./calls.ts";

/** What a batch has to know of a call. */
export interface BatchedCall {
  readonly signal: AbortSignal | undefined;
  /** When it was made, by `performance.now()`. */
  readonly startedMs: number;
  /** Whether it waits no longer, so that nothing has to be sent for it. */
  readonly isSettled: boolean;
  /**
   * @param at - Where its replies begin.
   * @param delivery - Whether its command may have run if it is refused for its size.
   * @param nowMs - The present, by `performance.now()`.
   */
  answered(replies: readonly Reply[], at: number, delivery: "none" | "unknown", nowMs?: number): void;
  failed(error: unknown): void;
}

/** Consecutive commands of one call, or the reads of many calls. */
export type Segment =
  | { readonly kind: "commands"; readonly commands: readonly Command[]; readonly call: BatchedCall }
  | { readonly kind: "reads"; readonly keys: Map<string, BatchedCall[]> };

export const callsOf = (segment: Segment): readonly BatchedCall[] =>
  segment.kind === "commands" ? [segment.call] : [...segment.keys.values()].flat();

/** Whether a call waits for a segment. Takes keys out of it for which none does: their calls were aborted. */
export function isWaitedFor(segment: Segment): boolean {
  if (segment.kind === "commands") return !segment.call.isSettled;
  for (const [key, calls] of segment.keys) {
    if (calls.every((call) => call.isSettled)) segment.keys.delete(key);
  }
  return segment.keys.size > 0;
}

/**
 * Collects the calls of one tick into round trips. Where the transport answers without waiting, a call does not wait
 * for the end of its tick: it is a round trip of its own, unless calls that were made before it wait.
 */
export interface Batcher {
  /** Sends a call's commands, next to each other and in this order, with whatever else this tick sends. */
  send(commands: readonly Command[], options: SendOptions, call: BatchedCall): void;
  /**
   * Reads one string, and answers the call with one reply. All reads of a tick share one MGET, which Upstash bills
   * once; equal keys are asked once.
   */
  read(key: string, options: SendOptions, call: BatchedCall): void;
  /**
   * The same where the transport answers without waiting and nothing that was sent before waits.
   *
   * @returns whether the call is answered. If not, nothing was sent.
   */
  readNow(key: string, options: SendOptions, call: BatchedCall): boolean;
  /** Has all that some synchronous work sends wait for the end of the tick, so that it travels together. */
  collect<Result>(work: () => Result): Result;
  /** Resolves when everything that was sent so far has been answered. */
  settled(): Promise<void>;
}

/** What a batcher has to know. */
export interface BatcherOptions {
  /** The deadline of calls that bring none. */
  readonly timeoutMs: number;
  /** Whether near caches have to know what is written. @default false */
  readonly announce?: boolean | undefined;
  /** Counts each round trip and the commands that it carries. */
  readonly counts?: Pick<StatsRecorder["counts"], "commands" | "trips"> | undefined;
}
