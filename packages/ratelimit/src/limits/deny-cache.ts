import { createLru } from "@continuum-cache/core/kit";
import type { LimitRequest } from "./limit-request.ts";
import type { LimitResult } from "./limit-result.ts";

/** Remembers denials: while one stands, a call that costs as much or more is refused without asking Redis. */
export interface DenyCache {
  /** The denial that applies to the request. The caller checks `untilUs`. */
  find(request: LimitRequest): Denial | undefined;
  /** A counter of lifts. The caller reads it when it sends a request, and passes it to `add`. */
  readonly moment: number;
  /** Adds a denial, unless its key was lifted after the request was sent. @param asked - The moment of the request. */
  add(request: LimitRequest, result: LimitResult, nowUs: number, asked: number): void;
  /** Drops the denials of a key. Called before and after calls of the key are given back. */
  lift(key: string): void;
}

/** A refusal: it applies to calls of at least this cost and at most this limit, until `untilUs`. */
export interface Denial {
  readonly cost: number;
  readonly limit: number;
  readonly result: LimitResult;
  readonly untilUs: number;
}

export function createDenyCache(maxEntries: number, maxAgeMs: number): DenyCache {
  const denials = createLru<Denial>({ maxEntries });
  /** When a key was last lifted. */
  const lifted = createLru<number>({ maxEntries });
  let moment = 0;
  return {
    get moment() {
      return moment;
    },
    find({ key, cost, limit }) {
      const denial = denials.get(key);
      return denial && cost >= denial.cost && limit <= denial.limit ? denial : undefined;
    },
    add({ key, cost, limit }, result, nowUs, asked) {
      if ((lifted.get(key) ?? 0) > asked) return;
      const present = denials.get(key);
      const untilUs = Math.min(result.retryAtUs, nowUs + maxAgeMs * 1_000);
      // The denial with the smaller cost applies to more calls.
      if (present && present.cost < cost && present.untilUs >= untilUs) return;
      denials.set(key, { cost, limit, result, untilUs });
    },
    lift(key) {
      denials.delete(key);
      lifted.set(key, ++moment);
    },
  };
}

/** Remembers nothing. */
export const noDenyCache: DenyCache = { find: () => undefined, moment: 0, add() {}, lift() {} };
