import type { Subject } from "./subject.ts";

/** What a limiter said to one call, as far as it says it. Times are the server's, in microseconds since 1970. */
export interface Said {
  readonly allowed: boolean;
  /** Who decided: `"redis"`, or the limiter's own word for whatever did in its place. */
  readonly source: string;
  /** When it was decided. */
  readonly decidedUs?: number;
  /** When an accepted call was charged. */
  readonly acceptedUs?: number;
  /** When a refused call would be allowed, for who counts the wait from the answer. */
  readonly retryUs?: number;
  /** What gives an accepted call back: plain data. */
  readonly receipt?: unknown;
}

/** One limiter under measurement. */
export interface Contender {
  limit(subject: Subject, cost: number): Promise<Said>;
  /** @returns whether something was given back, where the limiter says so. */
  refund(subject: Subject, cost: number, receipt: unknown): Promise<boolean | undefined>;
  reset(subject: Subject): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Where the contenders find Redis: over TCP, or where `rest` is given, through a server of the REST API. */
export interface ServerAddress {
  readonly url: string;
  readonly rest?: { readonly url: string; readonly token: string };
}
