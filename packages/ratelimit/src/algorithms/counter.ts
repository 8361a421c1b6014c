import type { Admission } from "./admissions.ts";

/** The numbers that an algorithm counts by. */
export interface CounterRule {
  readonly windowUs: number;
  readonly limit: number;
  /** What the algorithm asks for besides: see `Counter.extra`. */
  readonly extra: number;
  /**
   * By how much the time may be later than given, in microseconds; 0 when it is exact. The counter frees by the
   * earliest time and charges at the latest, so that an inexact time never lets more through.
   */
  readonly spanUs: number;
}

/** How a key stands at a time: used amounts, and times in microseconds since 1970, 0 for "now". */
export interface CounterState {
  readonly isFree: boolean;
  readonly current: number;
  /** When the same cost would be free. */
  readonly retryAtUs: number;
  /** When more will be free than now. */
  readonly moreAtUs: number;
  /** When all will be. */
  readonly resetAtUs: number;
}

/** What a key holds, as it is at one moment. */
export interface OpenCounter {
  /** The moment: never before the last one at which the key was written. */
  readonly nowUs: number;
  /** When the key was made. It differs once the key was lost and made anew. */
  readonly bornUs: number;
  /** Whether only the exact time tells which window counts the call. */
  readonly isUnsure: boolean;
  look(cost: number): CounterState;
  /** Takes a cost. @returns when: what a receipt gives it back by. */
  charge(cost: number): number;
  /** Gives a cost back that was taken at a time. @returns how much of it was still there. */
  giveBack(atUs: number, cost: number): number;
  /** Adds what was accepted elsewhere. @returns whether that changed anything. */
  merge(admissions: readonly Admission[]): boolean;
  /** What the key is to hold. */
  text(): string;
  /** For how long, in milliseconds: always a second longer than it counts, for clocks that are not quite together. */
  ttlMs(): number;
}

/** One way to count: the same in TypeScript and in Lua, decision by decision. */
export interface Counter {
  /** Distinguishes its keys and names it in errors. */
  readonly name: string;
  /** Opens what a key holds. @returns undefined when it is nothing that this counter has written. */
  open(text: string | null, nowUs: number, rule: CounterRule): OpenCounter | undefined;
  /**
   * Lua that works on one key at a time, which stands in local variables: `key`, its `window`, `limit` and `extra`;
   * `asked`, the earliest time that it may be, and by how much it may be later, `span`; `stored`, what the key holds.
   * - `prepare()` works out what follows from the numbers, once for all keys that have them.
   * - `read()` reads `stored`; it returns an error's text where that fails.
   * - `open()` sets `now`, `is_unsure`, and `born` as a time's text; it returns false where the counter has not written
   *   the key. It may be called again, also with another time, or after other keys if `stored` is set to what it was.
   * - `look(cost)` returns five values: whether it is free, then current, retry at, more at, reset at.
   * - `charge(cost)` and `merge(admissions)` do what they do in `OpenCounter`.
   * - `write()` stores the state, with its time to live.
   */
  readonly lua: string;
  /** Lua that follows it in refunds: `give_back(at, cost)` does what it does in `OpenCounter`. */
  readonly giveBackLua: string;
}

/**
 * A request that carries its own time may be executed so much later, in milliseconds: what was in use at its time must
 * still be there.
 */
export const longestDelayMs = 5_000;
/** How long a key outlives what it counts, in milliseconds. */
export const graceMs: number = longestDelayMs + 1_000;
