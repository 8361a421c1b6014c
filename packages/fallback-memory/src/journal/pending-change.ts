import {
  appendChange,
  type Bulk,
  byteLength,
  dropUndone,
  type Entry,
  footprint,
  isWholeShorter,
  type KeyCommand,
  type KeyWrite,
  never,
  parseInteger,
  wholeOf,
} from "@continuum-cache/transport-memory/kit";

/** What each pending change counts on top of its key and values: the object itself and its place in the maps. */
export const changeOverheadBytes = 400;

/** A whole value. */
export interface WholeValue {
  readonly value: Bulk;
  /** `never` for no expiry. */
  readonly expiresAtMs: number;
  /** Keeps the expiry that the primary's key has. */
  readonly keepTtl: boolean;
}

/**
 * What the primary has yet to do with one key: the outcome of this process's writes, not the list of them.
 *
 * Either all of the key is known here, since it was deleted or set as a whole; then `set` is what it holds, and
 * differences are folded into it. Or nothing is known of the primary's value; then only the differences to it can be
 * kept.
 */
export interface PendingChange {
  readonly key: Bulk;
  /** When the first mutation came, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** Its position in the order of all changes of its segment. */
  readonly place: number;
  /** How many mutations it stands for. */
  mutations: number;
  /** What it counts towards the limit of the journal. */
  bytes: number;
  /** Whether the key is deleted first, whatever it holds. */
  deleted: boolean;
  set: WholeValue | undefined;
  /** Added to the number at the primary. */
  counter: bigint | undefined;
  /** Items put before the first, in the order of pushing. */
  head: Bulk[] | undefined;
  /** Items put behind the last. */
  tail: Bulk[] | undefined;
  /** Changes that have no shorter form. */
  changes: KeyCommand[] | undefined;
  /** The expiry that the primary's value gets before all else; `never` for none, `undefined` to leave it. */
  firstExpiresAtMs: number | undefined;
  /** The expiry that it gets last. */
  expiresAtMs: number | undefined;
  /**
   * The states of the primary's key that this process knows or made, with the time at which each expires: SHA-1 of
   * the value, or `absent`. Any other state was written by another process. If `undefined`, nothing is known: then
   * only `absent` is expected.
   */
  expected: Map<string, number> | undefined;
}

export function createPendingChange(key: Bulk, sinceMs: number, place: number): PendingChange {
  return {
    key,
    sinceMs,
    place,
    mutations: 0,
    bytes: byteLength(key) + changeOverheadBytes,
    deleted: false,
    set: undefined,
    counter: undefined,
    head: undefined,
    tail: undefined,
    changes: undefined,
    firstExpiresAtMs: undefined,
    expiresAtMs: undefined,
    expected: undefined,
  };
}

/** Whether it changes the value at the primary instead of replacing it. */
export function hasDifferences({
  counter,
  head,
  tail,
  changes,
  firstExpiresAtMs,
  expiresAtMs,
}: PendingChange): boolean {
  const ends = firstExpiresAtMs !== undefined || expiresAtMs !== undefined;
  return ends || counter !== undefined || !!head?.length || !!tail?.length || changes !== undefined;
}

/** Whether it deletes the key and does nothing else. */
export function isBareDelete(change: PendingChange): boolean {
  return change.deleted && !change.set && !hasDifferences(change);
}

/** Adds a write to a pending change. @param entry - What the memory holds under the key after the write. */
export function applyWrite(change: PendingChange, write: KeyWrite, entry: Entry | undefined, nowMs: number): void {
  const { changes } = change;
  const changesBefore = changes?.length ?? 0;
  // A value that has expired meanwhile is gone here and at the primary.
  if ((change.expiresAtMs ?? never) <= nowMs || (change.set?.expiresAtMs ?? never) <= nowMs) erase(change);
  if ((change.firstExpiresAtMs ?? never) <= nowMs) {
    change.deleted = true;
    change.firstExpiresAtMs = undefined;
  }
  if (write.kind === "delete") erase(change);
  else if (write.kind === "set") replace(change, write);
  else if (change.deleted || change.set) amendKnown(change, write, entry);
  else if (write.kind === "expire" && write.expiresAtMs <= nowMs) erase(change);
  else differFrom(change, write, entry);
  // A list may grow long: its items are counted as they come and go, and not all of them with each write.
  if (write.kind === "push" && !change.set) change.bytes += sum(write.items);
  else if (write.kind === "change" && changes && isLonger(change.changes, changes, changesBefore)) {
    change.bytes += changeBytes(write);
  } else change.bytes = bytesOf(change);
}

/** Whether exactly one change was appended. */
const isLonger = (now: readonly KeyCommand[] | undefined, before: readonly KeyCommand[], length: number): boolean =>
  now === before && now.length === length + 1;

function erase(change: PendingChange): void {
  change.deleted = true;
  change.set = undefined;
  forgetDifferences(change);
}

function forgetDifferences(change: PendingChange): void {
  change.counter = undefined;
  change.head = undefined;
  change.tail = undefined;
  change.changes = undefined;
  change.firstExpiresAtMs = undefined;
  change.expiresAtMs = undefined;
}

function replace(change: PendingChange, { value, expiresAtMs, keepTtl }: WholeValue): void {
  const isKnown = change.deleted || change.set !== undefined;
  change.set = { value, expiresAtMs, keepTtl: keepTtl && (!isKnown || change.set?.keepTtl === true) };
  forgetDifferences(change);
}

/** Replaces a string by its new value; other values keep the changes that lead to them. */
function amendKnown(change: PendingChange, write: Difference, entry: Entry | undefined): void {
  const counted = write.kind === "add" && change.set ? parseInteger(change.set.value) : undefined;
  if (write.kind === "add" && change.set && counted !== undefined) {
    // Counted here and not read from the memory: a full memory may have evicted the key.
    change.set = { ...change.set, value: String(counted + write.difference) };
  } else if (entry?.value.type === "string") {
    const keepTtl = change.set?.keepTtl === true && write.kind !== "expire";
    change.set = { value: entry.value.bulk, expiresAtMs: entry.expiresAtMs, keepTtl };
  } else if (change.set || !entry) {
    // It was given an expiry in the past, or its last element was removed.
    erase(change);
  } else if (write.kind === "change" && isWholeShorter(entry, change.changes?.length ?? 0)) {
    takeWhole(change, entry);
  } else {
    differ(change, write, entry);
  }
}

/** Replaces the changes that led to a value by the value itself. */
function takeWhole(change: PendingChange, entry: Entry): void {
  forgetDifferences(change);
  for (const write of wholeOf(change.key, entry)) {
    if (write.kind !== "delete" && write.kind !== "set") differ(change, write, entry);
  }
}

type Difference = Exclude<KeyWrite, { kind: "delete" | "set" }>;

/** Without knowledge of the whole value, a change that applies only to a whole value is dropped. */
function differFrom(change: PendingChange, write: Difference, entry: Entry | undefined): void {
  if (write.kind === "change") {
    if (write.ifWhole) return;
    if (change.changes) dropUndone(change.changes, write);
  }
  differ(change, write, entry);
}

function differ(change: PendingChange, write: Difference, entry: Entry | undefined): void {
  switch (write.kind) {
    case "add":
      change.counter = (change.counter ?? 0n) + write.difference;
      return;
    case "push":
      change[write.end] = pushed(change[write.end], write.items);
      return;
    case "pop":
      takeBack(change, write.end, write.count);
      return;
    case "expire":
      // A key that is missing here may be created afterwards, without expiry; the primary's key gets this expiry
      // before.
      if (entry) change.expiresAtMs = write.expiresAtMs;
      else change.firstExpiresAtMs = write.expiresAtMs;
      return;
    case "change":
      change.changes ??= [];
      appendChange(change.changes, write);
      return;
  }
}

function pushed(items: Bulk[] | undefined, more: readonly Bulk[]): Bulk[] {
  if (!items) return [...more];
  for (const item of more) items.push(item);
  return items;
}

/**
 * Takes back items that were pushed. A popped item was pushed by this process in this outage, since the memory holds
 * no other items; so it need not be pushed at the primary. Items of the same end go first, the latest first; then
 * those of the other end, the earliest first.
 */
function takeBack(change: PendingChange, end: "head" | "tail", count: number): void {
  const same = change[end] ?? [];
  const other = change[end === "head" ? "tail" : "head"] ?? [];
  const fromSame = Math.min(count, same.length);
  same.length -= fromSame;
  other.splice(0, count - fromSame);
}

/**
 * The writes that make this change at the primary, in their order. The lists in them are those of the change itself.
 */
export function writesOf(change: PendingChange): KeyWrite[] {
  const { key, deleted, set } = change;
  return [
    ...(deleted ? [{ kind: "delete", key } as const] : []),
    ...(set ? [{ kind: "set", key, ...set } as const] : []),
    ...differencesOf(change),
  ];
}

/** The writes of `writesOf` that change a value instead of replacing it. */
export function differencesOf(change: PendingChange): Difference[] {
  const { key, counter, head, tail, changes, firstExpiresAtMs, expiresAtMs } = change;
  return [
    ...(firstExpiresAtMs === undefined ? [] : [{ kind: "expire", key, expiresAtMs: firstExpiresAtMs } as const]),
    ...(counter === undefined ? [] : [{ kind: "add", key, difference: counter } as const]),
    ...(head ? [{ kind: "push", key, end: "head", items: head } as const] : []),
    ...(tail ? [{ kind: "push", key, end: "tail", items: tail } as const] : []),
    ...(changes ?? []).map((each) => ({ kind: "change", key, ...each }) as const),
    ...(expiresAtMs === undefined ? [] : [{ kind: "expire", key, expiresAtMs } as const]),
  ];
}

const sum = (items: readonly Bulk[] | undefined): number =>
  items?.reduce((bytes, item) => bytes + footprint(item) + 16, 0) ?? 0;

const changeBytes = ({ args }: KeyCommand): number => 64 + sum(args);

/** What a pending change counts towards the limit of the journal. */
export function bytesOf({ key, set, head, tail, changes, expected }: PendingChange): number {
  return (
    byteLength(key) +
    changeOverheadBytes +
    (set ? footprint(set.value) : 0) +
    sum(head) +
    sum(tail) +
    (changes?.reduce((bytes, one) => bytes + changeBytes(one), 0) ?? 0) +
    (expected?.size ?? 0) * 96
  );
}
