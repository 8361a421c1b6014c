import type { Backend, Recovery } from "@continuum-cache/core";

/**
 * What happened: everything that clients asked and were answered while something went wrong between them and their
 * server. All times are microseconds of the machine's monotonic clock, so they compare across its processes.
 */
export interface History {
  /** What repeats its programs and its faults. */
  readonly seed: number;
  readonly variant: Variant;
  readonly clients: readonly ClientLog[];
  /** What stood on the server at the end, read over a direct connection; as a call of the observer. */
  readonly finals: readonly Call[];
  readonly nemesis: readonly Action[];
  /** Keys in the same database that no client has ever named, before and after. */
  readonly bystanders: readonly Bystander[];
  /**
   * For how long at a time the runner, which passes on all bytes, was not given a processor while the history ran;
   * the client processes have their own.
   */
  readonly longestStallMs: number;
}

/** A key that belongs to no client, and what stood there. */
export interface Bystander {
  readonly key: string;
  readonly before: string;
  /** `null`: nothing any more. */
  readonly after: string | null;
}

/** What kind of history it is. */
export interface Variant {
  /** How clients reach the server: `"tcp"`, `"rest"`. */
  readonly connection: string;
  /** What goes wrong: `"partial"`, `"relapse"`, `"kill"`. */
  readonly schedule: string;
  /** Whether what the server has confirmed survives its being killed (AOF). */
  readonly durable: boolean;
}

/** Something that was done to the connections or the server. */
export interface Action {
  readonly startUs: number;
  readonly endUs: number;
  /** `"blackhole"`, `"kill"`… */
  readonly fault: string;
  /** The only client that it concerned; absent when it concerned all. */
  readonly client?: number;
  /** Whether it was started because a client was seen replaying. */
  readonly relapse?: boolean;
}

/** All that one client did and saw. */
export interface ClientLog {
  readonly client: number;
  readonly calls: readonly Call[];
  /** Its `currentBackend` and `pending`, whenever one of them was seen to have changed. */
  readonly statuses: readonly Status[];
  /** Its `backend` events. */
  readonly changes: readonly Change[];
  /** For how long at a time its process was not given a processor. */
  readonly longestStallMs: number;
  /** Whether `pending` was 0 and the primary answered again within the bound after the last fault. */
  readonly settled: boolean;
}

export interface Status {
  readonly atUs: number;
  readonly backend: Backend;
  readonly pending: number;
}

export interface Change {
  readonly atUs: number;
  readonly from: Backend;
  readonly to: Backend;
  readonly reason: string;
  /** What it said became of the mutations that it had kept. */
  readonly recovery?: Recovery;
  /** How many mutations it has kept since it was last back at the primary, by its `kept` events. */
  readonly kept: number;
}

/** The client number of the direct read at the end. */
export const observer = -1;

/** What a caller was told instead of an answer. */
export interface Rejection {
  readonly error: string;
  /** The call's own time was over before its turn came in its process, or before all of a pattern was deleted. */
  readonly ranOut: boolean;
}

/** One call of a client. */
export interface Call {
  readonly client: number;
  /** Its place among the client's calls, in the order in which they were made. */
  readonly index: number;
  readonly operation: string;
  readonly effects: readonly Effect[];
  readonly startUs: number;
  readonly endUs: number;
  readonly outcome: "ok" | Rejection;
  /** Sent with `fallback: false`: what it was answered came from the primary. */
  readonly insists: boolean;
  /** Where answers came from at its start and at its end. */
  readonly backends: readonly [Backend, Backend];
  /** Whether the client's backend changed in between. */
  readonly wavered: boolean;
  /** The client's `pending` at its end. */
  readonly pending: number;
  /** How long it was allowed to take, and for how long of that its process was not given a processor. */
  readonly allowedMs: number;
  readonly stalledMs: number;
}

/** What one call did to one key, in the order in which the call named them. Reads are there when they were answered. */
export type Effect =
  | { readonly kind: "write"; readonly key: string; readonly value: string }
  /** A loader's run; its value may be stored. */
  | {
      readonly kind: "load";
      readonly key: string;
      readonly value: string;
      readonly startUs: number;
      readonly endUs: number;
    }
  /** `null`: there was nothing. */
  | { readonly kind: "read"; readonly key: string; readonly value: string | null }
  | { readonly kind: "delete"; readonly key: string }
  /** Deletes all keys that match. */
  | { readonly kind: "invalidate"; readonly glob: string }
  | { readonly kind: "add"; readonly key: string; readonly by: number }
  | { readonly kind: "count"; readonly key: string; readonly value: number }
  | { readonly kind: "push"; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: "list"; readonly key: string; readonly values: readonly string[] };

/** Microseconds of the machine's monotonic clock. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);
