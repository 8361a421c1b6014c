import type { LimitOptions } from "../types.ts";
import { type Ask, type AskDefaults, readAsk } from "./ask.ts";

/** Reads what calls ask for, and remembers it: most calls ask for what was asked for before. */
export interface Asks {
  /** @throws as `readAsk` does. */
  read(id: string, options: LimitOptions): Ask;
}

/** Calls with the same options, by their ids. */
interface Remembered extends Pick<LimitOptions, "window" | "limit" | "scope" | "burst" | "cost"> {
  readonly asks: Map<string, Ask>;
}

/** So many different options are looked through. */
const mostOptions = 16;

/** @param most - How many asks are remembered; with more of them it begins anew. */
export function createAsks(defaults: AskDefaults, most: number): Asks {
  let all: Remembered[] = [];
  let count = 0;

  const rememberedFor = ({ window, limit, scope, burst, cost }: LimitOptions): Remembered => {
    for (const each of all) {
      if (each.window !== window || each.limit !== limit || each.scope !== scope) continue;
      if (each.burst === burst && each.cost === cost) return each;
    }
    return { window, limit, scope, burst, cost, asks: new Map() } as Remembered;
  };

  return {
    read(id, options) {
      const remembered = rememberedFor(options);
      const known = remembered.asks.get(id);
      if (known) return known;
      const ask = readAsk(defaults, id, options);
      if (count >= most || (remembered.asks.size === 0 && all.length >= mostOptions)) {
        all = [];
        count = 0;
        remembered.asks.clear();
      }
      if (remembered.asks.size === 0) all.push(remembered);
      remembered.asks.set(id, ask);
      count++;
      return ask;
    },
  };
}
