import {
  type Bulk,
  footprint,
  inParts,
  type KeyCommand,
  keyCommandOf,
  never,
} from "@continuum-cache/transport-memory/kit";
import { absent } from "./expected-states.ts";
import { bytesOf, differencesOf, hasDifferences, type PendingChange } from "./pending-change.ts";
import type { Segment } from "./segment.ts";

/** The expiry that a key is given: none, the one it has, or a time in milliseconds since 1970. */
export type Expiry = "" | "KEEPTTL" | number;

/** A key of a batch, and how many mutations it confirms. */
export interface KeyItem {
  readonly key: Bulk;
  readonly mutations: number;
}

/** The changes of one key. */
export interface KeyChanges extends KeyItem {
  readonly commands: readonly KeyCommand[];
}

/** A value for one key, and the states of the key in which it is set. */
export interface KeyValue extends KeyItem {
  readonly value: Bulk;
  readonly expiry: Expiry;
  readonly states: readonly string[];
  /** When the key's known value expires: from then on the key may be absent too. `never`: it may not. */
  readonly absentFromMs: number;
}

/** Changes that are replayed together. `mutations`: how many the batch confirms. */
export type Batch = {
  readonly mutations: number;
} /** Deletes the keys that match patterns, exactly as callers passed them. */ & (
  | { readonly kind: "invalidate"; readonly globs: readonly string[]; matches(key: Bulk): boolean }
  | { readonly kind: "delete"; readonly items: readonly KeyItem[] }
  /** Changes of the expiry, which may be made twice. */
  | { readonly kind: "expire"; readonly items: readonly KeyChanges[] }
  /** Changes that must be made once. */
  | { readonly kind: "change"; readonly id: string; readonly items: readonly KeyChanges[] }
  | { readonly kind: "set"; readonly items: readonly KeyValue[] }
);

const most = { keys: 100, bytes: 64 * 1024 };

/** After so many keys without a batch, the plan yields `undefined`. */
export const keysPerStep = 500;

/** The batches in order. A step looks at no more than `keysPerStep` keys, and may find no batch. */
export type ReplayPlan = Generator<Batch | undefined, undefined>;

/**
 * The batches of a segment, in the order of the replay: first what must not be served again, then changes that
 * commute with the writes of others, and whole values last, which give way to values of others. The same segment
 * always makes the same batches. They are made one by one, since there may be a million keys.
 *
 * @param id - The segment's, unique in the world: it marks the batches that must not be applied twice.
 */
export function* replayPlan(segment: Segment, id: string): ReplayPlan {
  const patterns = [...segment.patterns.values()];
  if (patterns.length > 0) {
    const matches = (key: Bulk): boolean => segment.patterns.latestFor(key) !== undefined;
    yield { kind: "invalidate", globs: patterns.map(({ glob }) => glob), matches, mutations: sum(patterns) };
  }
  for (const items of inBatches(deletesOf(segment), ({ key }) => footprint(key))) {
    yield items && { kind: "delete", items, mutations: sum(items) };
  }
  for (const items of inBatches(pick(segment, isExpiry, changesOf), ({ key }) => footprint(key) + 64)) {
    yield items && { kind: "expire", items, mutations: sum(items) };
  }
  let number = 0;
  for (const changes of inBatches(pick(segment, isChange, itself), bytesOf)) {
    yield changes && {
      kind: "change",
      id: `${id}:${number++}`,
      items: changes.map(changesOf),
      mutations: sum(changes),
    };
  }
  for (const changes of inBatches(
    pick(segment, ({ set }) => set !== undefined, itself),
    bytesOf,
  )) {
    yield changes && { kind: "set", items: changes.map(keyValueOf), mutations: sum(changes) };
  }
  return undefined;
}

/** A key may be in two batches, a delete and a set: the later one confirms its mutations. */
function* deletesOf(segment: Segment): Iterable<KeyItem | undefined> {
  for (const [key, mutations] of segment.deletes()) yield { key, mutations };
  for (const change of segment.changes()) yield change?.deleted ? { key: change.key, mutations: 0 } : undefined;
}

/** Maps the changes that pass a test; yields `undefined` for each of the others. */
function* pick<Item>(
  segment: Segment,
  test: (change: PendingChange) => boolean,
  map: (change: PendingChange) => Item,
): Iterable<Item | undefined> {
  for (const change of segment.changes()) yield change && test(change) ? map(change) : undefined;
}
const itself = (change: PendingChange): PendingChange => change;

const isExpiry = (change: PendingChange): boolean => !change.set && hasDifferences(change) && onlyEnds(change);
const isChange = (change: PendingChange): boolean => !change.set && hasDifferences(change) && !onlyEnds(change);
const onlyEnds = ({ counter, head, tail, changes }: PendingChange): boolean =>
  counter === undefined && !head?.length && !tail?.length && changes === undefined;

function changesOf(change: PendingChange): KeyChanges {
  const writes = differencesOf(change).filter((write) => write.kind !== "push" || write.items.length > 0);
  const commands = writes.map((write) => {
    if (write.kind !== "expire" || write.expiresAtMs === never) return keyCommandOf(write);
    return keyCommandOf({ ...write, expiresAtMs: inRange(write.expiresAtMs) });
  });
  return { key: change.key, mutations: change.mutations, commands: commands.flatMap(inParts) };
}

/**
 * The key is set only in a state that this process wrote or saw; if it knows nothing, only while the key does not
 * exist.
 */
function keyValueOf({ key, mutations, set, deleted, expected }: PendingChange): KeyValue {
  const { value, expiresAtMs, keepTtl } = set ?? { value: "", expiresAtMs: never, keepTtl: false };
  const states = new Set(expected?.keys());
  if (deleted || !expected) states.add(absent);
  const absentFromMs = Math.min(...(expected?.values() ?? []), never) - clockSkewMs;
  return {
    key,
    mutations,
    value,
    expiry: keepTtl ? "KEEPTTL" : expiresAtMs === never ? "" : inRange(expiresAtMs),
    states: [...states],
    absentFromMs,
  };
}

/** How much earlier a value may expire by the primary's clock than by the clock of this process. */
const clockSkewMs = 1_000;

/** A date that a double holds exactly; later dates are 285,000 years away. */
const inRange = (dateMs: number): number => Math.min(dateMs, Number.MAX_SAFE_INTEGER);

/** Groups items into batches; yields `undefined` after each `keysPerStep` missing items. */
function* inBatches<Item>(
  items: Iterable<Item | undefined>,
  bytesOfItem: (item: Item) => number,
): Generator<readonly Item[] | undefined> {
  let batch: Item[] = [];
  let bytes = 0;
  let missing = 0;
  for (const item of items) {
    if (item === undefined) {
      if (++missing % keysPerStep === 0) yield undefined;
      continue;
    }
    const itemBytes = bytesOfItem(item);
    if (batch.length > 0 && (batch.length === most.keys || bytes + itemBytes > most.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += itemBytes;
  }
  if (batch.length > 0) yield batch;
}

const sum = (items: readonly { readonly mutations: number }[]): number =>
  items.reduce((all, { mutations }) => all + mutations, 0);
