import type { LimitOptions } from "../types.ts";
import { type LimitDefaults, type LimitRequest, readLimitRequest } from "./limit-request.ts";

/** Checks the options of calls, and remembers the result: most calls repeat options that were checked before. */
export interface RequestCache {
  /** @throws the same errors as `readLimitRequest`. */
  read(id: string, options: LimitOptions): LimitRequest;
}

/** The requests of calls with the same options, by id. */
interface Remembered extends Pick<LimitOptions, "window" | "limit" | "scope" | "burst" | "cost"> {
  readonly requests: Map<string, LimitRequest>;
}

/** At most this many different sets of options are searched. */
const mostOptions = 16;

/** @param most - How many requests are remembered. With more of them, the cache is emptied. */
export function createRequestCache(defaults: LimitDefaults, most: number): RequestCache {
  let all: Remembered[] = [];
  let count = 0;

  const rememberedFor = ({ window, limit, scope, burst, cost }: LimitOptions): Remembered => {
    for (const each of all) {
      if (each.window !== window || each.limit !== limit || each.scope !== scope) continue;
      if (each.burst === burst && each.cost === cost) return each;
    }
    return { window, limit, scope, burst, cost, requests: new Map() } as Remembered;
  };

  return {
    read(id, options) {
      const remembered = rememberedFor(options);
      const known = remembered.requests.get(id);
      if (known) return known;
      const request = readLimitRequest(defaults, id, options);
      if (count >= most || (remembered.requests.size === 0 && all.length >= mostOptions)) {
        all = [];
        count = 0;
        remembered.requests.clear();
      }
      if (remembered.requests.size === 0) all.push(remembered);
      remembered.requests.set(id, request);
      count++;
      return request;
    },
  };
}
