import { isDeepStrictEqual } from "node:util";
import type { Cache, Command } from "@continuum-cache/core";

/** One operation of the cache, and what has to be true of it whichever backend answers. */
export interface Operation {
  readonly name: string;
  /** How many trips it makes, each with the call's deadline. @default 1 */
  readonly trips?: number;
  /** What part of a call's time its shortest trip has. @default 1 */
  readonly leastShare?: number;
  /** A caller's own time is for all of its trips together, and for what it does between them. */
  readonly timedAsWhole?: true;
  /** Several trips share one deadline, which a process that hardly runs can miss though each trip is answered. */
  readonly canStarve?: true;
  /** What another process has put there before. */
  seed?(key: string): readonly Command[];
  /** What this process does before, where it can. */
  prepare?(cache: Cache, key: string): Promise<unknown>;
  call(cache: Cache, key: string): Promise<unknown>;
  /**
   * Whether an answer is right: the primary's, which may still have answered, or that of a memory which knows only
   * its own.
   */
  isRight(answer: unknown): boolean;
  /** Whether it is what the primary answers. */
  isPrimarys(answer: unknown): boolean;
  /** Right too where the primary answered a first part and went away before the second. */
  isDivided?(answer: unknown): boolean;
  /** What has to be true from the end of the call on, in the outage as well as after it. */
  readonly after?: After;
  /** What is on the server in the end; `twice` when a lost reply may have made it count double. */
  readonly onServer?: OnServer;
}

export interface After {
  read(cache: Cache, key: string): Promise<unknown>;
  holds(value: unknown): boolean;
  /** What a memory reads that knows nothing of it, since the primary did it before it went. */
  readonly missing: unknown;
}

export interface OnServer {
  readonly commands: (key: string) => readonly Command[];
  readonly holds: (...replies: readonly unknown[]) => boolean;
}

const stored = (value: unknown): string => JSON.stringify(value);
const seeded = (key: string, value: unknown): Command => ["SET", key, stored(value), "EX", 300];
const isOneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.some((one) => isDeepStrictEqual(one, value));
const between =
  (low: number, high: number) =>
  (value: unknown): boolean =>
    typeof value === "number" && value >= low && value <= high;

const own = { own: true };
const others = { own: false };

const holdsOwn: Pick<Operation, "after" | "onServer"> = {
  after: { read: (cache, key) => cache.get(key), holds: isOneOf(own), missing: undefined },
  onServer: { commands: (key) => [["GET", key]], holds: isOneOf(stored(own)) },
};

/** Three that another process stored, and that this one must never see again. */
const three = (key: string): readonly string[] => [`${key}:1`, `${key}:2`, `${key}:3`];

/** The same three commands, in a pipeline or all or none. */
const batch = (name: "pipeline" | "transaction"): Operation => ({
  name,
  call: (cache, key) => cache[name]().set(key, own).increment(`${key}:n`, 5).get(key).execute(),
  isRight: isOneOf([true, 5, own]),
  isPrimarys: isOneOf([true, 5, own]),
  after: holdsOwn.after as After,
  onServer: {
    commands: (key) => [
      ["GET", key],
      ["GET", `${key}:n`],
    ],
    holds: (value, count) => value === stored(own) && isOneOf("5", "10")(count),
  },
});

export const operations: readonly Operation[] = [
  {
    name: "get",
    seed: (key) => [seeded(key, others)],
    call: (cache, key) => cache.get(key),
    isRight: isOneOf(others, undefined),
    isPrimarys: isOneOf(others),
  },
  {
    name: "set",
    call: (cache, key) => cache.set(key, own),
    isRight: isOneOf(true),
    isPrimarys: isOneOf(true),
    ...holdsOwn,
  },
  {
    name: "set over a value that it knows",
    prepare: async (cache, key) => {
      await cache.set(key, others);
      await cache.get(key);
    },
    call: (cache, key) => cache.set(key, own, { ttl: "1h" }),
    isRight: isOneOf(true),
    isPrimarys: isOneOf(true),
    ...holdsOwn,
  },
  {
    name: "delete",
    seed: (key) => [seeded(key, others)],
    prepare: (cache, key) => cache.get(key),
    call: (cache, key) => cache.delete(key),
    isRight: isOneOf(0, 1),
    // A retry finds nothing left.
    isPrimarys: isOneOf(0, 1),
    after: {
      read: async (cache, key) => [await cache.get(key), await cache.exists(key), await cache.ttl(key)],
      holds: isOneOf([undefined, false, -2]),
      missing: [undefined, false, -2],
    },
    onServer: { commands: (key) => [["EXISTS", key]], holds: isOneOf(0) },
  },
  {
    name: "deletePattern",
    trips: 2,
    canStarve: true,
    seed: (key) => three(key).map((one) => seeded(one, others)),
    async call(cache, key) {
      const deleted = await cache.deletePattern(`${key}:*`);
      await cache.set(`${key}:new`, own);
      return deleted;
    },
    isRight: between(0, 3),
    isPrimarys: between(0, 3),
    after: {
      read: (cache, key) => cache.getMany([...three(key), `${key}:new`]),
      holds: isOneOf([undefined, undefined, undefined, own]),
      missing: [undefined, undefined, undefined, undefined],
    },
    onServer: {
      commands: (key) => [
        ["EXISTS", ...three(key)],
        ["GET", `${key}:new`],
      ],
      holds: (old, fresh) => old === 0 && fresh === stored(own),
    },
  },
  {
    name: "increment",
    seed: (key) => [["SET", key, "10"]],
    call: (cache, key) => cache.increment(key, 5),
    isRight: isOneOf(15, 5),
    isPrimarys: isOneOf(15),
    after: { read: (cache, key) => cache.get(key), holds: isOneOf(5, 15, 20), missing: undefined },
    onServer: { commands: (key) => [["GET", key]], holds: isOneOf("15", "20") },
  },
  batch("pipeline"),
  batch("transaction"),
  {
    name: "getOrSet",
    trips: 2,
    // Reading and storing have a third each of a caller's own time.
    leastShare: 1 / 3,
    timedAsWhole: true,
    canStarve: true,
    async call(cache, key) {
      let loads = 0;
      const load = async (): Promise<unknown> => {
        loads++;
        return own;
      };
      const values = await Promise.all([1, 2, 3].map(() => cache.getOrSet(key, load)));
      return [...values, loads];
    },
    isRight: isOneOf([own, own, own, 1]),
    isPrimarys: isOneOf([own, own, own, 1]),
    ...holdsOwn,
  },
  {
    name: "getMany",
    seed: (key) =>
      three(key)
        .slice(0, 2)
        .map((one) => seeded(one, others)),
    call: (cache, key) => cache.getMany(three(key)),
    isRight: isOneOf([others, others, undefined], [undefined, undefined, undefined]),
    isPrimarys: isOneOf([others, others, undefined]),
  },
  {
    name: "setMany",
    call: (cache, key) => cache.setMany(three(key).map((one) => [one, own] as const)),
    isRight: isOneOf(true),
    isPrimarys: isOneOf(true),
    after: {
      read: (cache, key) => cache.getMany(three(key)),
      holds: isOneOf([own, own, own]),
      missing: [undefined, undefined, undefined],
    },
    onServer: { commands: (key) => [["MGET", ...three(key)]], holds: isOneOf(Array(3).fill(stored(own))) },
  },
  {
    name: "rpush",
    seed: (key) => [["RPUSH", key, stored("theirs")]],
    call: (cache, key) => cache.rpush(key, "a", "b"),
    isRight: isOneOf(3, 2),
    isPrimarys: isOneOf(3),
    after: {
      read: (cache, key) => cache.lrange(key, -2, -1),
      holds: isOneOf(["a", "b"]),
      missing: [],
    },
    onServer: {
      commands: (key) => [["LRANGE", key, 0, -1]],
      holds: isOneOf(['"theirs"', '"a"', '"b"'], ['"theirs"', '"a"', '"b"', '"a"', '"b"']),
    },
  },
  {
    name: "publish",
    call: (cache, key) => cache.publish(key, own),
    isRight: isOneOf(0),
    isPrimarys: isOneOf(0),
  },
  {
    name: "expire",
    trips: 2,
    async call(cache, key) {
      await cache.set(key, own);
      return cache.expire(key, "1h");
    },
    isRight: isOneOf(true),
    isPrimarys: isOneOf(true),
    isDivided: isOneOf(false),
    after: { read: (cache, key) => cache.ttl(key), holds: between(3_400, 3_600), missing: -2 },
    onServer: { commands: (key) => [["TTL", key]], holds: between(3_400, 3_600) },
  },
  {
    name: "exists",
    seed: (key) => [seeded(key, others)],
    call: (cache, key) => cache.exists(key),
    isRight: isOneOf(true, false),
    isPrimarys: isOneOf(true),
  },
  {
    name: "ttl",
    seed: (key) => [seeded(key, others)],
    call: (cache, key) => cache.ttl(key),
    isRight: (answer) => answer === -2 || between(200, 300)(answer),
    isPrimarys: between(200, 300),
  },
];
