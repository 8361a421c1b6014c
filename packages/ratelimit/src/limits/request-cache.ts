import type { LimitOptions } from "../types.ts";
import { type LimitDefaults, type LimitRequest, readLimitRequest } from "./limit-request.ts";

/** Reads what calls ask for, and remembers it: most calls ask for what was asked for before. */
export interface RequestCache {
  /** @throws as `readAsk` does. */
  read(id: string, options: LimitOptions): LimitRequest;
}

/** Calls with the same options, by their ids. */
interface Remembered extends Pick<LimitOptions, "window" | "limit" | "scope" | "burst" | "cost"> {
  readonly requests: Map<string, LimitRequest>;
}

/** So many different options are looked through. */
const mostOptions = 16;

/** @param most - How many asks are remembered; with more of them it begins anew. */
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
