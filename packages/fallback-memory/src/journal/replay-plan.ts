import { type Bulk, footprint, never } from "@continuum-cache/transport-memory/kit";
import { bytesOf, hasDifferences, type Intent } from "./intent.ts";
import type { KeyCommand } from "./key-command.ts";
import { inPieces } from "./pieces.ts";
import type { Segment } from "./segment.ts";
import { absent, type End } from "./set-unless-written.ts";

/** What becomes of one key, and how many mutations that confirms. */
export interface KeyItem {
  readonly key: Bulk;
  readonly mutations: number;
}

/** The changes of one key. */
export interface KeyChanges extends KeyItem {
  readonly commands: readonly KeyCommand[];
}

/** A value for one key, and the states of the key in which it may be set. */
export interface KeyValue extends KeyItem {
  readonly value: Bulk;
  readonly end: End;
  readonly states: readonly string[];
  /** From when on the key may be absent as well, since what stood there has ended; `never` if it may not. */
  readonly absentFromMs: number;
}

/** What is told in one go. `mutations`: how many it confirms. */
export type Batch = { readonly mutations: number } /** Patterns whose keys go, as callers passed them. */ & (
  | { readonly kind: "invalidate"; readonly globs: readonly string[]; matches(key: Bulk): boolean }
  | { readonly kind: "delete"; readonly items: readonly KeyItem[] }
  /** Changes that may be made twice. */
  | { readonly kind: "expire"; readonly items: readonly KeyChanges[] }
  /** Changes that must be made once. */
  | { readonly kind: "change"; readonly id: string; readonly items: readonly KeyChanges[] }
  | { readonly kind: "set"; readonly items: readonly KeyValue[] }
);

const most = { keys: 100, bytes: 64 * 1024 };

/** After so many keys of which there is nothing to tell, the plan yields nothing instead of a batch. */
export const keysPerStep = 500;

/** A plan, step by step. A step looks at no more than `keysPerStep` keys, and may find no batch. */
export type ReplayPlan = Generator<Batch | undefined, undefined>;

/**
 * The order of recovery: what must not be seen again goes first; then what commutes with the writes of others; whole
 * values last, which give way to others'. The same segment always makes the same batches. They are made as they are
 * needed, since there may be a million keys.
 *
 * @param id - The segment's, unique in the world: the batches that must not be applied twice are marked by it.
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
  for (const items of inBatches(pick(segment, ends, changesOf), ({ key }) => footprint(key) + 64)) {
    yield items && { kind: "expire", items, mutations: sum(items) };
  }
  let changes = 0;
  for (const intents of inBatches(pick(segment, changesMore, itself), bytesOf)) {
    yield intents && {
      kind: "change",
      id: `${id}:${changes++}`,
      items: intents.map(changesOf),
      mutations: sum(intents),
    };
  }
  for (const intents of inBatches(
    pick(segment, ({ set }) => set !== undefined, itself),
    bytesOf,
  )) {
    yield intents && { kind: "set", items: intents.map(keyValueOf), mutations: sum(intents) };
  }
  return undefined;
}

/** Of a key that is in two batches the later one confirms its mutations. */
function* deletesOf(segment: Segment): Iterable<KeyItem | undefined> {
  for (const [key, mutations] of segment.deletes()) yield { key, mutations };
  for (const intent of segment.intents()) yield intent?.deleted ? { key: intent.key, mutations: 0 } : undefined;
}

/** What is made of the intents that pass a test; `undefined` stands for each of the others. */
function* pick<Item>(
  segment: Segment,
  test: (intent: Intent) => boolean,
  map: (intent: Intent) => Item,
): Iterable<Item | undefined> {
  for (const intent of segment.intents()) yield intent && test(intent) ? map(intent) : undefined;
}
const itself = (intent: Intent): Intent => intent;

const ends = (intent: Intent): boolean => !intent.set && hasDifferences(intent) && onlyEnds(intent);
const changesMore = (intent: Intent): boolean => !intent.set && hasDifferences(intent) && !onlyEnds(intent);
const onlyEnds = ({ counter, head, tail, changes }: Intent): boolean =>
  counter === undefined && !head?.length && !tail?.length && changes === undefined;

function changesOf(intent: Intent): KeyChanges {
  const { key, mutations, counter, head, tail, changes, firstExpiresAtMs, expiresAtMs } = intent;
  const commands: KeyChanges["commands"] = [
    ...endingAt(firstExpiresAtMs),
    ...(counter === undefined ? [] : [{ name: "INCRBY", args: [String(counter)] }]),
    ...(head?.length ? [{ name: "LPUSH", args: head }] : []),
    ...(tail?.length ? [{ name: "RPUSH", args: tail }] : []),
    ...(changes ?? []),
    ...endingAt(expiresAtMs),
  ];
  return { key, mutations, commands: commands.flatMap(inPieces) };
}

function endingAt(expiresAtMs: number | undefined): KeyChanges["commands"] {
  if (expiresAtMs === undefined) return [];
  return [expiresAtMs === never ? { name: "PERSIST", args: [] } : { name: "PEXPIREAT", args: [inRange(expiresAtMs)] }];
}

/** A key may be set when it is as this process left or knew it; one of which nothing is known, when it is not there. */
function keyValueOf({ key, mutations, set, deleted, own }: Intent): KeyValue {
  const { value, expiresAtMs, keepTtl } = set ?? { value: "", expiresAtMs: never, keepTtl: false };
  const states = new Set(own?.keys());
  if (deleted || !own) states.add(absent);
  const absentFromMs = Math.min(...(own?.values() ?? []), never) - clockSkewMs;
  return {
    key,
    mutations,
    value,
    end: keepTtl ? "KEEPTTL" : expiresAtMs === never ? "" : inRange(expiresAtMs),
    states: [...states],
    absentFromMs,
  };
}

/** So much earlier than by this process's clock a value may have ended by the primary's. */
const clockSkewMs = 1_000;

/** A date that a double holds exactly; those beyond are 285,000 years away. */
const inRange = (dateMs: number): number => Math.min(dateMs, Number.MAX_SAFE_INTEGER);

/** Items in batches; `undefined` after every so many that were none. */
function* inBatches<Item>(
  items: Iterable<Item | undefined>,
  bytesOfItem: (item: Item) => number,
): Generator<readonly Item[] | undefined> {
  let batch: Item[] = [];
  let bytes = 0;
  let passedOver = 0;
  for (const item of items) {
    if (item === undefined) {
      if (++passedOver % keysPerStep === 0) yield undefined;
      continue;
    }
    const own = bytesOfItem(item);
    if (batch.length > 0 && (batch.length === most.keys || bytes + own > most.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += own;
  }
  if (batch.length > 0) yield batch;
}

const sum = (items: readonly { readonly mutations: number }[]): number =>
  items.reduce((all, { mutations }) => all + mutations, 0);
