import { toMs } from "@continuum-cache/core/kit";
import type { Limiter } from "../../src/fetch.ts";
import type { Decision, LimitOptions } from "../../src/index.ts";
import { decided } from "./decided.ts";

/** One request to a limiter. */
export interface Asked extends LimitOptions {
  readonly id: string;
}

/** A limiter that counts without time, and records its requests. */
export function countingLimiter(): Limiter & { readonly asked: Asked[] } {
  const used = new Map<string, number>();
  const asked: Asked[] = [];

  const decide = (asks: readonly Asked[]): Decision[] => {
    asked.push(...asks);
    const looked = asks.map((ask) => {
      const { id, scope = "default", window = "1m", limit = 2, cost = 1 } = ask;
      const key = JSON.stringify([scope, id, window]);
      const before = used.get(key) ?? 0;
      return {
        key,
        scope,
        limit,
        cost,
        before,
        windowSeconds: toMs(window, "window") / 1_000,
        allowed: before + cost <= limit,
      };
    });
    const isAllowed = looked.every(({ allowed }) => allowed);
    return looked.map(({ key, scope, limit, cost, before, windowSeconds, allowed }) => {
      const current = isAllowed ? before + cost : before;
      used.set(key, current);
      const retryAfter = allowed ? 0 : 30;
      return decided({
        ...{ allowed, scope, limit, current, windowSeconds, retryAfter },
        ...{ remaining: limit - current, moreAfter: current > 0 ? 30 : 0 },
      });
    });
  };

  return {
    asked,
    limit: async (id, options) => decide([{ ...options, id }])[0] as Decision,
    limitAll: async (limits, options) => {
      const decisions = decide(limits.map((limit) => ({ ...limit, ...options })));
      const retryAfter = Math.max(...decisions.map((decision) => decision.retryAfter));
      return { allowed: decisions.every(({ allowed }) => allowed), retryAfter, source: "redis", decisions };
    },
  };
}
