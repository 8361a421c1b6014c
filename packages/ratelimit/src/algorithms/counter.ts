import type { Admission } from "./admissions.ts";

/** The numbers of one limit. */
export interface CounterRule {
  readonly windowUs: number;
  readonly limit: number;
  /** A further number that depends on the algorithm: see `AlgorithmFacts.extra`. */
  readonly extra: number;
  /**
   * By how much the time may be later than given, in microseconds; 0 when it is exact. Invariant: the counter frees by
   * the earliest time and charges at the latest, so that an inexact time never lets more through.
   */
  readonly spanUs: number;
}

/** The state of a key at a time. Times are microseconds since 1970, 0 for "now". */
export interface CounterState {
  readonly isFree: boolean;
  readonly current: number;
  /** When the same cost would be allowed. */
  readonly retryAtUs: number;
  /** When more is free than now. */
  readonly moreAtUs: number;
  /** When all of it is free. */
  readonly resetAtUs: number;
}

/** The counter of a key, at one moment. */
export interface OpenCounter {
  /** The moment: never before the time of the last write. */
  readonly nowUs: number;
  /** When the key was created. It differs after the key was lost and created anew. */
  readonly bornUs: number;
  /** Whether only the exact time tells which window counts the call. */
  readonly isUnsure: boolean;
  look(cost: number): CounterState;
  /** Charges a cost. @returns the time of the charge, by which a receipt gives it back. */
  charge(cost: number): number;
  /** Gives back a cost that was charged at a time. @returns how much of it was still there. */
  giveBack(atUs: number, cost: number): number;
  /** Adds calls that were admitted elsewhere. @returns whether that changed the state. */
  merge(admissions: readonly Admission[]): boolean;
  /** The text to store. */
  text(): string;
  /** How long to store it, in milliseconds: a second longer than it counts, since clocks differ. */
  ttlMs(): number;
}

/** One way to count. Invariant: TypeScript and Lua make the same decisions. */
export interface Counter {
  /** Distinguishes its keys and names it in errors. */
  readonly name: string;
  /** Reads the text of a key. @returns undefined when this counter has not written it. */
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
 * A request that carries its own time may be executed this much later, in milliseconds. Usage at its time must still
 * be stored then.
 */
export const longestDelayMs = 5_000;
/** How long a key is stored beyond the time for which it counts, in milliseconds. */
export const graceMs: number = longestDelayMs + 1_000;
