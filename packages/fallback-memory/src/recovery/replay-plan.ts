import { prefixOf } from "../journal/families.ts";
import { hasDifferences, type Intent } from "../journal/intent.ts";
import type { Segment } from "../journal/segment.ts";
import { never } from "../keyspace/keyspace.ts";
import { type Bulk, footprint } from "../values/bulk.ts";
import type { KeyCommand } from "./key-command.ts";
import { inPieces } from "./pieces.ts";
import { absent, type End } from "./set-unless-written.ts";

/** The changes of one key. */
export interface KeyChanges {
  readonly key: Bulk;
  readonly commands: readonly KeyCommand[];
}

/** A value for one key, and the states of the key in which it may be set. */
export interface KeyValue {
  readonly key: Bulk;
  readonly value: Bulk;
  readonly end: End;
  readonly states: readonly string[];
  /** From when on the key may be absent as well, since what stood there has ended; `never` if it may not. */
  readonly absentFromMs: number;
}

/** What goes to the primary in one go. `mutations`: how many it confirms. */
export type Batch = { readonly mutations: number } & (
  | { readonly kind: "invalidate"; readonly glob: string }
  | { readonly kind: "delete"; readonly keys: readonly Bulk[] }
  /** Changes that may be made twice. */
  | { readonly kind: "expire"; readonly items: readonly KeyChanges[] }
  /** Changes that must be made once. */
  | { readonly kind: "change"; readonly id: string; readonly items: readonly KeyChanges[] }
  | { readonly kind: "set"; readonly items: readonly KeyValue[] }
);

const most = { keys: 200, bytes: 256 * 1024 };

/**
 * The order of recovery: what must not be seen again goes first; then what commutes with the writes of others; whole
 * values last, which give way to others'. The same segment always makes the same batches.
 *
 * @param id - The segment's, unique in the world: the batches that must not be applied twice are marked by it.
 */
export function replayPlan(segment: Segment, id: string): Batch[] {
  const intents = [...segment.intents.values()];
  const prefixes = [...segment.invalidations.keys()].map(prefixOf);
  const isInvalidated = (key: Bulk): boolean =>
    typeof key !== "string" || prefixes.some((prefix) => key.startsWith(prefix));
  const deleted = intents.filter((intent) => intent.deleted);
  const different = intents.filter((intent) => !intent.set && hasDifferences(intent));
  const [ending, changing] = [different.filter(onlyEnds), different.filter((intent) => !onlyEnds(intent))];
  const valued = intents.filter((intent) => intent.set);
  /** Of an intent that is in two batches the later one confirms it. */
  const ownMutations = (intent: Intent): number => (intent.set || hasDifferences(intent) ? 0 : intent.mutations);

  return [
    ...[...segment.invalidations.values()].map(
      ({ glob, mutations }): Batch => ({ kind: "invalidate", glob, mutations }),
    ),
    ...inBatches(deleted, () => 64).map((batch): Batch => {
      return { kind: "delete", keys: batch.map(({ key }) => key), mutations: sum(batch, ownMutations) };
    }),
    ...inBatches(ending, () => 64).map((batch): Batch => {
      return { kind: "expire", items: batch.map(changesOf), mutations: sum(batch, ({ mutations }) => mutations) };
    }),
    ...inBatches(changing, ({ bytes }) => bytes).map((batch, index): Batch => {
      const mutations = sum(batch, (intent) => intent.mutations);
      return { kind: "change", id: `${id}:${index}`, items: batch.map(changesOf), mutations };
    }),
    ...inBatches(valued, ({ bytes }) => bytes).map((batch): Batch => {
      const items = batch.map((intent) => keyValueOf(intent, isInvalidated(intent.key)));
      return { kind: "set", items, mutations: sum(batch, ({ mutations }) => mutations) };
    }),
  ];
}

const onlyEnds = ({ counter, head, tail, changes }: Intent): boolean =>
  counter === undefined && !head?.length && !tail?.length && changes === undefined;

function changesOf({ key, counter, head, tail, changes, firstExpiresAtMs, expiresAtMs }: Intent): KeyChanges {
  const commands: KeyChanges["commands"] = [
    ...endingAt(firstExpiresAtMs),
    ...(counter === undefined ? [] : [{ name: "INCRBY", args: [String(counter)] }]),
    ...(head?.length ? [{ name: "LPUSH", args: head }] : []),
    ...(tail?.length ? [{ name: "RPUSH", args: tail }] : []),
    ...(changes ?? []),
    ...endingAt(expiresAtMs),
  ];
  return { key, commands: commands.flatMap(inPieces) };
}

function endingAt(expiresAtMs: number | undefined): KeyChanges["commands"] {
  if (expiresAtMs === undefined) return [];
  return [expiresAtMs === never ? { name: "PERSIST", args: [] } : { name: "PEXPIREAT", args: [inRange(expiresAtMs)] }];
}

/** A key may be set when it is as this process left or knew it; one of which nothing is known, when it is not there. */
function keyValueOf({ key, set, deleted, own }: Intent, isInvalidated: boolean): KeyValue {
  const { value, expiresAtMs, keepTtl } = set ?? { value: "", expiresAtMs: never, keepTtl: false };
  const states = new Set(own?.keys());
  if (deleted || isInvalidated || !own) states.add(absent);
  const absentFromMs = Math.min(...(own?.values() ?? []), never) - clockSkewMs;
  return {
    key,
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

function inBatches(intents: readonly Intent[], bytesOf: (intent: Intent) => number): Intent[][] {
  const batches: Intent[][] = [];
  let bytes = 0;
  for (const intent of intents) {
    const own = bytesOf(intent) + footprint(intent.key);
    const batch = batches.at(-1);
    if (batch && batch.length < most.keys && bytes + own <= most.bytes) {
      batch.push(intent);
      bytes += own;
    } else {
      batches.push([intent]);
      bytes = own;
    }
  }
  return batches;
}

const sum = (intents: readonly Intent[], count: (intent: Intent) => number): number =>
  intents.reduce((all, intent) => all + count(intent), 0);
