import {
  type Bulk,
  byteLength,
  type Entry,
  elementsOf,
  fieldsOf,
  footprint,
  idText,
  type KeyWrite,
  never,
  type Otherwise,
  parseId,
  parseInteger,
  sameBulk,
  sizeOfWhole,
  wholeSortedSet,
  wholeStream,
} from "@continuum-cache/transport-memory/kit";

/** What each intent counts on top of its key and values: the object itself and its place in the maps. */
export const intentOverheadBytes = 400;

/** A change that has no short form: the command's name, with its subcommand if there is one, and what follows the key. */
export interface Change {
  readonly name: string;
  readonly args: readonly Bulk[];
  readonly otherwise?: Otherwise;
}

/** A whole value. */
export interface WholeValue {
  readonly value: Bulk;
  /** `never` for no end. */
  readonly expiresAtMs: number;
  /** The end that the primary's key has is to be left as it is. */
  readonly keepTtl: boolean;
}

/**
 * What this process wants to become of one key at the primary: the latest word, not the way there.
 *
 * Either everything about the key is known here, since it was deleted or set as a whole; then `set` is what it holds, and
 * differences are folded into it. Or nothing is known of what stands at the primary; then all that can be kept are the
 * differences to it.
 */
export interface Intent {
  readonly key: Bulk;
  /** When the first mutation came, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** Its place among all that happened to its segment. */
  readonly place: number;
  /** How many mutations it stands for. */
  mutations: number;
  /** What it counts towards the journal's limit. */
  bytes: number;
  /** Whether the key has to go first, whatever it holds. */
  deleted: boolean;
  set: WholeValue | undefined;
  /** What is to be added to the number that stands there. */
  counter: bigint | undefined;
  /** Items to be put before the first, in the order of pushing. */
  head: Bulk[] | undefined;
  /** Items to be put behind the last. */
  tail: Bulk[] | undefined;
  changes: Change[] | undefined;
  /** The end that what stands there is to be given before all else; `never` for none, `undefined` to leave it. */
  firstExpiresAtMs: number | undefined;
  /** The end that it is to be given in the end. */
  expiresAtMs: number | undefined;
  /**
   * What of this process's own knowledge or making may stand at the primary: SHA-1 of the value, or `absent`, and when
   * that ends by itself. Anything else was written by somebody else. Where it is missing, nothing is known: `absent`.
   */
  own: Map<string, number> | undefined;
}

export function createIntent(key: Bulk, sinceMs: number, place: number): Intent {
  return {
    key,
    sinceMs,
    place,
    mutations: 0,
    bytes: byteLength(key) + intentOverheadBytes,
    deleted: false,
    set: undefined,
    counter: undefined,
    head: undefined,
    tail: undefined,
    changes: undefined,
    firstExpiresAtMs: undefined,
    expiresAtMs: undefined,
    own: undefined,
  };
}

/** Whether it asks for differences to what stands at the primary. */
export function hasDifferences({ counter, head, tail, changes, firstExpiresAtMs, expiresAtMs }: Intent): boolean {
  const ends = firstExpiresAtMs !== undefined || expiresAtMs !== undefined;
  return ends || counter !== undefined || !!head?.length || !!tail?.length || changes !== undefined;
}

/** Whether all that is asked for is that the key goes. */
export function isBareDelete(intent: Intent): boolean {
  return intent.deleted && !intent.set && !hasDifferences(intent);
}

/** Takes a further write into an intent. @param entry - What the memory holds under the key after the write. */
export function amend(intent: Intent, write: KeyWrite, entry: Entry | undefined, nowMs: number): void {
  const { changes } = intent;
  const changesBefore = changes?.length ?? 0;
  // What has ended meanwhile is gone: the write found nothing here, and would find nothing there.
  if ((intent.expiresAtMs ?? never) <= nowMs || (intent.set?.expiresAtMs ?? never) <= nowMs) erase(intent);
  if ((intent.firstExpiresAtMs ?? never) <= nowMs) {
    intent.deleted = true;
    intent.firstExpiresAtMs = undefined;
  }
  if (write.kind === "delete") erase(intent);
  else if (write.kind === "set") replace(intent, write);
  else if (intent.deleted || intent.set) amendKnown(intent, write, entry);
  else if (write.kind === "expire" && write.expiresAtMs <= nowMs) erase(intent);
  else differFrom(intent, write, entry);
  // A queue may grow long: its items are counted as they come and go.
  if (write.kind === "push" && !intent.set) intent.bytes += sum(write.items);
  else if (write.kind === "change" && changes && isLonger(intent.changes, changes, changesBefore)) {
    intent.bytes += changeBytes(write);
  } else intent.bytes = bytesOf(intent);
}

/** Whether nothing happened to the changes but that one more was added. */
const isLonger = (now: readonly Change[] | undefined, before: readonly Change[], length: number): boolean =>
  now === before && now.length === length + 1;

function erase(intent: Intent): void {
  intent.deleted = true;
  intent.set = undefined;
  forgetDifferences(intent);
}

function forgetDifferences(intent: Intent): void {
  intent.counter = undefined;
  intent.head = undefined;
  intent.tail = undefined;
  intent.changes = undefined;
  intent.firstExpiresAtMs = undefined;
  intent.expiresAtMs = undefined;
}

function replace(intent: Intent, { value, expiresAtMs, keepTtl }: WholeValue): void {
  const isKnown = intent.deleted || intent.set !== undefined;
  intent.set = { value, expiresAtMs, keepTtl: keepTtl && (!isKnown || intent.set?.keepTtl === true) };
  forgetDifferences(intent);
}

/** A string is taken as it now stands; of other values the way there is kept. */
function amendKnown(intent: Intent, write: Difference, entry: Entry | undefined): void {
  const counted = write.kind === "add" && intent.set ? parseInteger(intent.set.value) : undefined;
  if (write.kind === "add" && intent.set && counted !== undefined) {
    // By its own count: a full memory may have let go of the key.
    intent.set = { ...intent.set, value: String(counted + write.difference) };
  } else if (entry?.value.type === "string") {
    const keepTtl = intent.set?.keepTtl === true && write.kind !== "expire";
    intent.set = { value: entry.value.bulk, expiresAtMs: entry.expiresAtMs, keepTtl };
  } else if (intent.set || !entry) {
    // Given an end that is over, or taken empty.
    erase(intent);
  } else if (write.kind === "change" && isBetterWhole(entry, intent.changes ?? [])) {
    takeWhole(intent, entry);
  } else {
    differ(intent, write, entry);
  }
}

/** More changes of a hash or a sorted set than this are made one: it is known as a whole. */
const mostChanges = 64;

function isBetterWhole({ value }: Entry, { length }: readonly Change[]): boolean {
  if (value.type === "stream") return length >= mostChanges && length > 2 * sizeOfWhole(value);
  return value.type === "list" || length >= mostChanges;
}

/** In place of the way there, what stands here now. */
function takeWhole(intent: Intent, { value, expiresAtMs }: Entry): void {
  forgetDifferences(intent);
  if (value.type === "stream") intent.changes = wholeStream(intent.key, value);
  if (value.type === "zset") intent.changes = wholeSortedSet(intent.key, value);
  if (value.type === "list") intent.tail = elementsOf(value);
  if (value.type === "hash") intent.changes = [{ name: "HSET", args: [...fieldsOf(value)].flat() }];
  if (expiresAtMs !== never) intent.expiresAtMs = expiresAtMs;
}

type Difference = Exclude<KeyWrite, { kind: "delete" | "set" }>;

/** Of a key of which nothing is known what follows from knowing all of it is not told. */
function differFrom(intent: Intent, write: Difference, entry: Entry | undefined): void {
  if (write.kind === "change" && write.ifWhole) return;
  if (write.kind === "change" && write.name === "XDEL") withoutEntries(intent.changes ?? [], write.args);
  differ(intent, write, entry);
}

function differ(intent: Intent, write: Difference, entry: Entry | undefined): void {
  switch (write.kind) {
    case "add":
      intent.counter = (intent.counter ?? 0n) + write.difference;
      return;
    case "push":
      intent[write.end] ??= [];
      intent[write.end]?.push(...write.items);
      return;
    case "pop":
      takeBack(intent, write.end, write.count);
      return;
    case "expire":
      // A key that is not here yet will be made without an end, whatever end the one at the primary was given before.
      if (entry) intent.expiresAtMs = write.expiresAtMs;
      else intent.firstExpiresAtMs = write.expiresAtMs;
      return;
    case "change":
      intent.changes = withChange(intent.changes ?? [], write);
      return;
  }
}

/**
 * What was popped was pushed by this process in this very outage: nothing else is here. So it need not be pushed there.
 * From either end the items of that end go first, the latest first; then those of the other end, the earliest first.
 */
function takeBack(intent: Intent, end: "head" | "tail", count: number): void {
  const own = intent[end] ?? [];
  const other = intent[end === "head" ? "tail" : "head"] ?? [];
  const fromOwn = Math.min(count, own.length);
  own.length -= fromOwn;
  other.splice(0, count - fromOwn);
}

/**
 * What was appended and deleted again need not be appended at all: under another id, which the primary might choose, it could
 * not be deleted.
 */
function withoutEntries(changes: Change[], ids: readonly Bulk[]): void {
  const gone = new Set<Bulk>(ids.map((id) => idText(parseId(id, 0n))));
  for (let at = changes.length - 1; at >= 0; at--) {
    const { otherwise, args } = changes[at] as Change;
    if (otherwise?.place === 0 && gone.has(args[0] as Bulk)) changes.splice(at, 1);
  }
}

/** Adds a change; one that says the same of the same fields as the one before takes its place. */
function withChange(changes: Change[], { name, args, otherwise }: Change): Change[] {
  const last = changes.at(-1);
  if (last?.name === name && last.args.length === args.length) {
    if (name === "HSET" && args.every((arg, at) => at % 2 === 1 || sameBulk(arg, last.args[at] as Bulk))) changes.pop();
    const [field, difference] = args;
    if (name === "HINCRBY" && sameBulk(field as Bulk, last.args[0] as Bulk)) {
      changes.pop();
      changes.push({ name, args: [field as Bulk, String(BigInt(String(difference)) + BigInt(String(last.args[1])))] });
      return changes;
    }
  }
  changes.push({ name, args, ...(otherwise && { otherwise }) });
  return changes;
}

const sum = (items: readonly Bulk[] | undefined): number =>
  items?.reduce((bytes, item) => bytes + footprint(item) + 16, 0) ?? 0;

const changeBytes = ({ args }: Change): number => 64 + sum(args);

/** What an intent counts, by what it holds. */
export function bytesOf({ key, set, head, tail, changes, own }: Intent): number {
  return (
    byteLength(key) +
    intentOverheadBytes +
    (set ? footprint(set.value) : 0) +
    sum(head) +
    sum(tail) +
    (changes?.reduce((bytes, one) => bytes + changeBytes(one), 0) ?? 0) +
    (own?.size ?? 0) * 96
  );
}
