import type { Cache } from "@continuum-cache/core";

/** Keys and what is known of their writes. Each key is written by one process, one version after the other. */
interface Written {
  readonly key: string;
  version: number;
  isWriting: boolean;
  /** When each version was confirmed, by `performance.now()`. */
  readonly confirmed: { readonly version: number; readonly atMs: number }[];
}

/** Random reads and writes of several processes, checked while they run. */
export interface History {
  readonly random: () => number;
  pick<Item>(items: readonly Item[]): Item;
  /** All keys so far. */
  readonly keys: readonly string[];
  readonly violations: readonly string[];
  readonly counts: { readonly gets: number; readonly hits: number; readonly writes: number; readonly unknown: number };
  /** Begins some operations of one process. */
  round(cache: Cache, nth: number): Promise<void>[];
  /** Resolves when no operation is under way. */
  settled(): Promise<void>;
}

/** @param boundMs - How old a hit may be. */
export function createHistory(seed: number, processes: number, boundMs: number): History {
  let state = seed >>> 0 || 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const all: Written[] = [];
  const current: Written[][] = [];
  const violations: string[] = [];
  const counts = { gets: 0, hits: 0, writes: 0, unknown: 0 };
  const underWay = new Set<Promise<void>>();

  const add = (): Written => {
    const written: Written = { key: `key:${all.length}`, version: 0, isWriting: false, confirmed: [] };
    all.push(written);
    return written;
  };
  for (let nth = 0; nth < processes; nth++) current.push([add(), add()]);

  /** A version that was confirmed before the bound began must be seen. */
  const check = ({ key, confirmed }: Written, value: unknown, startedMs: number, kind: string): void => {
    const due = confirmed.findLast(({ atMs }) => atMs < startedMs - boundMs);
    const version = value === undefined ? 0 : Number(value);
    if (due && version < due.version) {
      const ageMs = Math.round(startedMs - due.atMs);
      violations.push(`${kind} of ${key}: version ${version}, though ${due.version} was confirmed ${ageMs} ms before`);
    }
  };

  const read = async (cache: Cache, written: Written): Promise<void> => {
    counts.gets++;
    const startedMs = performance.now();
    const peeked = cache.peek(written.key);
    if (peeked !== undefined) {
      counts.hits++;
      check(written, peeked, startedMs, "peek");
    }
    const gotMs = performance.now();
    const value = await cache.get(written.key).catch(() => "unanswered");
    if (value !== "unanswered") check(written, value, gotMs, "get");
  };

  const write = async (cache: Cache, nth: number, place: number): Promise<void> => {
    const written = current[nth]?.[place] as Written;
    if (written.isWriting) return;
    written.isWriting = true;
    const version = ++written.version;
    counts.writes++;
    try {
      await cache.set(written.key, version);
      written.confirmed.push({ version, atMs: performance.now() });
      written.isWriting = false;
    } catch {
      // It may take effect at any time, so nothing else is written there.
      counts.unknown++;
      (current[nth] as Written[])[place] = add();
    }
  };

  return {
    random,
    pick,
    get keys() {
      return all.map(({ key }) => key);
    },
    violations,
    counts,
    round(cache, nth) {
      const work: Promise<void>[] = [];
      if (random() < 0.3) work.push(write(cache, nth, Math.floor(random() * 2)));
      for (let reads = 0; reads < 4; reads++) work.push(read(cache, pick(random() < 0.8 ? pick(current) : all)));
      for (const one of work) {
        underWay.add(one);
        void one.finally(() => underWay.delete(one));
      }
      return work;
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}
