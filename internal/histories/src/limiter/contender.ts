import type { Address } from "../site/address.ts";

/** A user who is limited, and to what. */
export interface Subject {
  readonly id: string;
  readonly limit: number;
  readonly windowMs: number;
}

/** What a limiter said to one call, as far as it says it. Times are the server's, in microseconds since 1970. */
export interface Said {
  readonly allowed: boolean;
  /** Who decided: `"redis"`, or the limiter's own word for what did in its place. */
  readonly source: string;
  /** When it was decided. */
  readonly decidedUs?: number;
  /** When an accepted call was charged. */
  readonly acceptedUs?: number;
  /** When a refused call would be allowed, where the wait is counted from the answer. */
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

/** Where the contenders find Redis. */
export type ServerAddress = Address;
