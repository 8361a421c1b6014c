import type { Meter } from "./meter.ts";

/** Where the servers of a run are, and how much of what is large in number a run makes. */
export interface Site {
  readonly redisUrl: string;
  readonly rest: { readonly url: string; readonly token: string };
  /** 1, or less for a quick look: a factor for the numbers of keys, channels and queued messages. */
  readonly scale: number;
}

/** What one contender did in one slice of time. */
export interface Slice {
  readonly operations: number;
  readonly wallMs: number;
  /** Of the contender's process, user and system. */
  readonly cpuUs: number;
  /** What Redis ran for it, commands within scripts included. */
  readonly commands?: number;
  /** How long its scripts took in Redis. */
  readonly scriptUs?: number;
  /** The longest PING of another client meanwhile. */
  readonly longestPingMs?: number;
  /** The longest time in which its event loop did nothing else. */
  readonly longestBlockMs?: number;
  /** A size instead of a speed. */
  readonly gzipBytes?: number;
}

/** Works for about so long, and says what came of it. */
export type Measure = (sliceMs: number, meter: Meter) => Promise<Slice>;

/** A contender at work: a measure for each scenario that it takes part in. */
export interface Opened {
  readonly measures: Readonly<Record<string, Measure>>;
  close?(): unknown;
}

/**
 * One client or library under measurement. `open` runs in a process of its own, so it imports what it measures by
 * itself.
 */
export interface Contender {
  readonly name: string;
  /**
   * `ours`, or what ours is put beside, as the head of a column says it: `the best cache`, for each of several caches.
   */
  readonly kind: string;
  open(site: Site): Promise<Opened>;
}

/** A number of each slice: a column of the table. */
export interface Column {
  readonly title: string;
  readonly digits: number;
  of(slice: Slice): number;
}

/** What is measured beside each other. */
export interface Suite {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** What is done, in full sentences. */
  readonly about: string;
  readonly servers: "none" | "redis" | "rest";
  /** What is compared, and whether more of it is better. */
  readonly value: Column & { readonly isMoreBetter: boolean };
  /** Further numbers. */
  readonly columns: readonly Column[];
  readonly scenarios: readonly string[];
  readonly contenders: readonly Contender[];
  /** The number is the same in each round. */
  readonly isExact?: boolean;
}
