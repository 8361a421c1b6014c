import { createLru } from "@continuum-cache/core/kit";
import type { LimitRequest } from "./limit-request.ts";
import type { LimitResult } from "./limit-result.ts";

/** Denials that still stand: a call that asks for as much again, or more, is refused without Redis. */
export interface DenyCache {
  /** The denial that holds for such a call, until its time. */
  find(request: LimitRequest): Denial | undefined;
  /** To be noted when a decision is asked for. */
  readonly moment: number;
  /** @param asked - The moment at which it was asked for: what was lifted since is not remembered. */
  add(request: LimitRequest, result: LimitResult, nowUs: number, asked: number): void;
  /** A key's calls are being given back, or have been: to be told before and after. */
  lift(key: string): void;
}

/** A refusal, and for which calls it stands until when. */
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
      // The smaller cost refuses more, as long as it stands.
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
