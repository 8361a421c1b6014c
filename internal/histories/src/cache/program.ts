import { createRandom, type Random } from "@continuum-cache/conformance/servers";
import type { Operation, Single } from "./operation.ts";

/** What a client does next. */
export interface ProgramStep {
  /** How long it waits before. */
  readonly pauseMs: number;
  /** Whether it waits for the answer before its next step. */
  readonly awaits: boolean;
  readonly operation: Operation;
}

/** The keys of one history. All begin with its prefix, and so do all that its patterns match. */
export interface KeySpace {
  /** Strings, in two families that are invalidated as a whole now and then. */
  readonly families: readonly { readonly glob: string; readonly keys: readonly string[] }[];
  readonly counters: readonly string[];
  readonly lists: readonly string[];
}

/** Few keys, so that clients meet on them, or many. */
export function keySpaceOf(prefix: string, manyKeys = false): KeySpace {
  const family = (name: string, count: number) => ({
    glob: `${prefix}${name}:*`,
    keys: Array.from({ length: count }, (_, at) => `${prefix}${name}:${at}`),
  });
  return {
    families: manyKeys ? [family("a", 30), family("b", 20)] : [family("a", 3), family("b", 2)],
    counters: [`${prefix}count:0`, `${prefix}count:1`],
    lists: [`${prefix}list:0`],
  };
}

const operationWeights = {
  set: 18,
  get: 20,
  delete: 11,
  getOrSet: 9,
  increment: 8,
  rpush: 6,
  setMany: 5,
  getMany: 8,
  pipeline: 6,
  transaction: 3,
  deletePattern: 4,
  lrange: 2,
};

const partWeights = { set: 5, get: 5, delete: 3, increment: 2, rpush: 1 };

/** An endless program; the same seed and client make the same one. */
export function* createProgram(
  prefix: string,
  seed: number,
  client: number,
  manyKeys = false,
): Generator<ProgramStep, never> {
  const random = createRandom(seed, client);
  const { families, counters, lists } = keySpaceOf(prefix, manyKeys);
  const strings = families.flatMap(({ keys }) => keys);
  let written = 0;
  const unique = (): string => `v${client}.${written++}`;
  const some = (most: number): string[] => [
    ...new Set(Array.from({ length: random.between(1, manyKeys ? 3 * most : most) }, () => random.pick(strings))),
  ];

  const part = (name: keyof typeof partWeights | "lrange"): Single => {
    switch (name) {
      case "set":
        return { name, key: random.pick(strings), value: unique() };
      case "get":
        return { name, key: random.pick(strings) };
      case "delete":
        return { name, keys: some(2) };
      case "increment":
        return { name, key: random.pick(counters), by: random.between(1, 9) };
      case "rpush":
        return { name, key: random.pick(lists), values: random.chance(0.3) ? [unique(), unique()] : [unique()] };
      case "lrange":
        return { name, key: random.pick(lists) };
    }
  };

  const operation = (): Operation => {
    const name = random.weighted(operationWeights);
    switch (name) {
      case "setMany":
        return { name, entries: some(3).map((key) => [key, unique()] as const) };
      case "getMany":
        return { name, keys: some(4) };
      case "deletePattern":
        return { name, glob: random.pick(families).glob };
      case "getOrSet": {
        const loaderMs = random.chance(0.5) ? random.between(5, 40) : 0;
        return { name, key: random.pick(strings), value: unique(), loaderMs };
      }
      case "pipeline":
      case "transaction":
        return { name, parts: parts(random, part) };
      case "set":
      case "get":
        return { ...part(name), ...(random.chance(0.1) && { insists: true }) };
      default:
        return part(name);
    }
  };

  for (;;) {
    const pauseMs = random.chance(0.3) ? 0 : random.between(1, 24);
    yield { pauseMs, awaits: random.chance(0.6), operation: operation() };
  }
}

const parts = (random: Random, part: (name: keyof typeof partWeights) => Single): Single[] =>
  Array.from({ length: random.between(2, 4) }, () => part(random.weighted(partWeights)));
