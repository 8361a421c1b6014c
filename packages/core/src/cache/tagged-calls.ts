import type { KeyFamily } from "../keys/key-pattern.ts";
import { createLru } from "../keys/lru.ts";
import type { Events } from "../ports/events.ts";
import type { KeepRead, NearStore } from "../ports/near-cache.ts";
import type { SendOptions, Transport } from "../ports/transport.ts";
import type { Texts } from "../tags/marker-reads.ts";
import { createMarkerStore, type Marker, type MarkerStore, type Verdict } from "../tags/marker-store.ts";
import { placeOf } from "../tags/outage-place.ts";
import { readTags, readTagsOfValue } from "../tags/tag-names.ts";
import type { CacheEvents } from "./cache-events.ts";
import type { CacheCallOptions } from "./call-options.ts";
import { type Calls, raw, type StatsRecorder } from "./calls.ts";
import { type Fitting, fit } from "./freshness/fitting.ts";
import { ReadRequest, type Requests } from "./requests.ts";
import { familyOf } from "./tagging.ts";
import type { SentRead } from "./values.ts";

/** Where tags and keys have their place: a cache, or a namespace of it. */
export interface TagScope {
  readonly keyPrefix: string;
  /** The tags that every value has here: one for each namespace around it, the innermost last. */
  readonly namespaces: readonly string[];
  readonly requests: Requests;
  readonly calls: Calls;
}

/** Checks the options of a call, and says what it asks of its round trips. */
export type AskedBy = (options: CacheCallOptions | undefined) => SendOptions;

/** What tagged calls are made of. */
export interface TaggedParts {
  /** For the markers: no observer is told of them. */
  readonly calls: Calls;
  readonly transport: Transport;
  readonly timeoutMs: number;
  readonly patterns: readonly KeyFamily[];
  readonly events: Events<CacheEvents>;
  readonly stats: StatsRecorder;
}

/** The reads of values that may have tags or a schema, and what other calls need of both. */
export interface TaggedCalls {
  readonly store: MarkerStore;
  /** @param keep - Keeps the value in the near cache. */
  get(scope: TagScope, key: string, asked: SendOptions, keep?: KeepRead): Promise<unknown>;
  /** The same through the near cache, which holds a value as it is stored, before any schema. */
  getNear(near: NearStore, scope: TagScope, key: string, asked: SendOptions): Promise<unknown>;
  getMany(scope: TagScope, keys: readonly string[], asked: SendOptions): Promise<unknown[]>;
  /** The tags of a value that is written now, with their scope. @param own - Those that the call names. */
  tagsOf(scope: TagScope, key: string, own: readonly string[] | undefined): readonly string[];
  /** Reads the markers of a key ahead, where its tags are known, and some more; nothing fails by it. */
  ahead(tags: readonly string[], asked: SendOptions, more?: readonly string[]): Promise<Texts> | undefined;
  /** The tags that the value of a key is expected to have. */
  expected(scope: TagScope, key: string, fullKey: string): readonly string[];
  /** The value as the schema of its key's pattern reads it; undefined when it does not fit: an event has told it. */
  fitting(operation: string, key: string, value: unknown, leftMs: number): unknown;
  /** A value is stored with these tags: its next read reads their markers too. */
  hint(fullKey: string, tags: readonly string[]): void;
  verify(markers: readonly Marker[], read: SentRead, required: readonly string[]): Promise<Verdict>;
  /** Invalidates tags in one command. */
  remove(
    kind: "hard" | "soft",
    scope: TagScope,
    given: readonly (string | CacheCallOptions)[],
    askedBy: AskedBy,
  ): Promise<void>;
  /** Invalidates all values of a namespace in one command. */
  clear(scope: TagScope, given: readonly unknown[], askedBy: AskedBy): Promise<void>;
}

/** What the hints of a process take at most, in characters. */
const maxHintSize = 2 << 20;

/** Markers count as no reads of a caller. */
const uncounted = { hits: 0, misses: 0, errors: 0, skipped: 0, loads: 0, commands: 0, trips: 0 };

export function createTaggedCalls(parts: TaggedParts): TaggedCalls {
  const { calls, transport, timeoutMs, patterns, events, stats } = parts;
  const place = placeOf(transport);
  const reading = (key: string) => new ReadRequest(same, "tags", key, (_, __, reply) => reply ?? null, uncounted);
  const leftOf = (options: SendOptions, startedMs: number): number =>
    (options.timeoutMs ?? timeoutMs) - (performance.now() - startedMs);
  const store = createMarkerStore(
    {
      send: (commands, options) => calls.one(() => [raw("tags", commands), options]),
      read: (keys, options) => Promise.all(keys.map((key) => calls.read(reading, key, options))),
      left: (options, startedMs) => ({ ...options, timeoutMs: inSteps(leftOf(options, startedMs)) }),
    },
    place,
  );
  /** The tags of the values that were read or written last, by full key: their markers are read with them. */
  const hints = createLru<readonly string[]>({ maxBytes: maxHintSize });
  const hint = (fullKey: string, tags: readonly string[]): void => {
    hints.set(fullKey, tags, 100 + fullKey.length + tags.reduce((sum, tag) => sum + tag.length, 0));
  };

  const scoped = ({ keyPrefix }: TagScope, tags: readonly string[]): string[] => tags.map((tag) => keyPrefix + tag);
  const tagsOf: TaggedCalls["tagsOf"] = (scope, key, own = []) => {
    const { tagsOf: familyTags } = familyOf(key, patterns) ?? {};
    return [...scope.namespaces, ...scoped(scope, readTagsOfValue(own, familyTags ? familyTags(key) : []))];
  };
  const expected: TaggedCalls["expected"] = (scope, key, fullKey) =>
    hints.get(fullKey) ?? (familyOf(key, patterns)?.tagsOf ? tagsOf(scope, key, undefined) : scope.namespaces);
  const ahead: TaggedCalls["ahead"] = (tags, asked, more = []) => {
    if (tags.length === 0 && more.length === 0) return undefined;
    const texts = store.read(tags, asked, more);
    // The value's own read fails then too, if there is a value.
    texts.catch(() => {});
    return texts;
  };

  const request = (scope: TagScope, key: string, asked: SendOptions, keep?: KeepRead): ReadRequest<unknown> => {
    const made = keep ? scope.requests.getNear(key, keep) : scope.requests.get(key);
    made.texts = ahead(expected(scope, key, made.fullKey), asked);
    return made;
  };

  const fitting: TaggedCalls["fitting"] = (operation, key, value, leftMs) => {
    const schema = value === undefined ? undefined : familyOf(key, patterns)?.schema;
    return schema ? fitted(operation, key, fit(schema, value, "The stored value", leftMs)) : value;
  };
  const fitted = async (operation: string, key: string, checking: Promise<Fitting>): Promise<unknown> => {
    const fitting = await checking;
    if (fitting.fits) return fitting.value;
    stats.counts.hits--;
    stats.counts.misses++;
    stats.counts.errors++;
    events.emit("error", { operation, key, error: fitting.error });
    return undefined;
  };

  const get: TaggedCalls["get"] = async (scope, key, asked, keep) => {
    const startedMs = performance.now();
    const value = await scope.calls.read((name) => request(scope, name, asked, keep), key, asked);
    return fitting("get", key, value, leftOf(asked, startedMs));
  };

  return {
    store,
    get,
    async getNear(near, scope, key, asked) {
      const startedMs = performance.now();
      const held = asked.signal?.aborted ? undefined : near.get(key);
      if (held !== undefined) return fitting("get", key, held, leftOf(asked, startedMs));
      const proving = near.prove(key, asked);
      const proven = proving && (await proving);
      if (proven !== undefined) return fitting("get", key, proven, leftOf(asked, startedMs));
      const left = proving ? { ...asked, timeoutMs: inSteps(leftOf(asked, startedMs)) } : asked;
      return get(scope, key, left, near.begin(key));
    },
    async getMany(scope, keys, asked) {
      const startedMs = performance.now();
      const found = await scope.calls.readAll(
        keys.map((key) => request(scope, key, asked)),
        asked,
      );
      const leftMs = leftOf(asked, startedMs);
      return Promise.all(found.map((value, at) => fitting("getMany", keys[at] as string, value, leftMs)));
    },
    tagsOf,
    ahead,
    expected,
    fitting,
    hint,
    async verify(markers, { fullKey, options = {}, startedMs, texts }, required) {
      const tags = markers.map(([tag]) => tag);
      if (!required.every((tag) => tags.includes(tag))) return "invalid";
      hint(fullKey, tags);
      const known = await texts;
      if (known && store.covers(tags, known)) return store.compare(markers, known);
      const left = { ...options, timeoutMs: inSteps(leftOf(options, startedMs)) };
      return store.compare(markers, await store.read(tags, left));
    },
    async remove(kind, scope, given, askedBy) {
      const last = given.at(-1);
      const options = typeof last === "object" && !Array.isArray(last) ? last : undefined;
      const names = readTags(options ? given.slice(0, -1) : given);
      const asked = askedBy(options);
      if (names.length > 0) await store.remove(kind, scoped(scope, names), scope.keyPrefix, asked);
    },
    async clear(scope, [options], askedBy) {
      const asked = askedBy(options as CacheCallOptions | undefined);
      await store.remove("hard", scope.namespaces.slice(-1), scope.keyPrefix, asked);
    },
  };
}

const same = (key: string): string => key;

/** What is left of a call's time, in steps, so that the verifications of one tick have the same and go together. */
export const inSteps = (leftMs: number): number => {
  const stepMs = leftMs > 1_000 ? 100 : 10;
  return Math.max(1, Math.floor(leftMs / stepMs) * stepMs);
};
