import { unwrap } from "../errors/command-error.ts";
import { createLru } from "../keys/lru.ts";
import type { Command, SendOptions } from "../ports/transport.ts";
import { createMarkerReads, isCrossSlot, type MarkerTrips, maxRemembered, type Texts } from "./marker-reads.ts";
import { lifeOf, markerEndsMs, markerText } from "./marker-text.ts";
import type { OutagePlace } from "./outage-place.ts";
import { hardKey, latestKey, softKey } from "./tag-names.ts";

/** A tag with its scope, and its two markers as they stood when the load of a value began. */
export type Marker = readonly [tag: string, hard: string, soft: string];

/** The tags of a load that begins. */
export interface TagsToLoad {
  /** With their scopes. */
  readonly tags: readonly string[];
  /** The scope of tags that are known only after the load; `undefined` when there are none. */
  readonly lateScope: string | undefined;
  /** How long the value will live; `undefined` for no expiry. */
  readonly ttlMs: number | undefined;
  /** Markers that were read for this load already. @default they are read */
  readonly texts?: Texts | undefined;
}

/** The markers of a load, as they stood before its loader began. */
export interface BegunLoad extends Omit<TagsToLoad, "texts"> {
  readonly texts: Texts;
  /** The place in which they were read. */
  readonly suffix: string;
  readonly changes: number;
  /** Its place in the order of reads. */
  readonly order: number;
}

/** What to store with a value. */
export interface FilledMarkers {
  readonly markers: readonly Marker[];
  /** Go before the SET: markers that would end before the value get a longer life. */
  readonly commands: readonly Command[];
}

/** What the markers say of an entry. A stale one may be served where the reader's options allow it. */
export type Verdict = "fresh" | "stale" | "invalid";

/**
 * The markers of tags. Each is a random text under a key of its own; an invalidation deletes it, and the next load
 * creates another. An entry holds the texts that stood there before its load began. It is valid as long as the very
 * texts stand there. So there is no order to keep and no clock to trust, and what is lost or evicted is a miss.
 *
 * `tags-model.ts` in the tests names the rules, and shows what goes wrong without each of them.
 */
export interface MarkerStore {
  /** Reads markers, and some more by their keys, with whatever else this tick reads. */
  read(tags: readonly string[], options: SendOptions, more?: readonly string[]): Promise<Texts>;
  /** Reads the markers of a load, and creates those that are absent: none may be created after the load has begun. */
  begin(load: TagsToLoad, options: SendOptions): Promise<BegunLoad>;
  /**
   * What to store with a loaded value.
   *
   * @param lateTags - Tags that the value has told, with their scopes.
   * @returns undefined when it can't be told that no tag was invalidated meanwhile: then nothing may be stored.
   */
  fill(load: BegunLoad, lateTags: readonly string[], options: SendOptions): Promise<FilledMarkers | undefined>;
  /** Whether the markers of all these tags were read. */
  covers(tags: readonly string[], texts: Texts): boolean;
  /** Compares an entry's markers with those that stand there now. */
  compare(markers: readonly Marker[], texts: Texts): Verdict;
  /** Deletes markers in one command. @param kind - `soft`: values with these tags may still be served stale. */
  remove(kind: "hard" | "soft", tags: readonly string[], scope: string, options: SendOptions): Promise<void>;
}

const keysOf = (tags: readonly string[]): string[] => tags.flatMap((tag) => [hardKey(tag), softKey(tag)]);

export function createMarkerStore(trips: MarkerTrips, place: OutagePlace): MarkerStore {
  const reads = createMarkerReads(trips, place);
  const { read, readAfter } = reads;
  /** Until when a marker lives that this process has given a longer life; not the one that follows an invalidation. */
  const extended = createLru<{ readonly text: string | undefined; readonly endsMs: number }>({
    maxEntries: maxRemembered,
  });

  /** The late tags' markers, if they are those that stood there before the load. */
  const lateTexts = async (load: BegunLoad, tags: readonly string[], options: SendOptions) => {
    const startedMs = performance.now();
    const latest = latestKey(load.lateScope ?? "");
    const before = load.texts.get(latest);
    const keys = keysOf(tags);
    // No invalidation since the load began: then what stands there now stood there before it.
    const isUnchanged = (texts: Texts): boolean => before !== undefined && texts.get(latest) === before;
    const texts = await readAfter([], [...keys, latest], options);
    const isOld = (key: string): boolean => reads.wasThere(key, texts.get(key), load.order);
    if (!isUnchanged(texts)) return keys.every(isOld) ? texts : undefined;
    const absent = keys.filter((key) => texts.get(key) === undefined);
    if (absent.length === 0) return texts;
    // An invalidation may have come before a marker was created: `latest` is compared once more behind it.
    const left = trips.left(options, startedMs);
    const created = await readAfter(creating(absent, load.ttlMs), [...keys, latest], left);
    return isUnchanged(created) ? created : undefined;
  };

  const extending = (keys: readonly string[], texts: Texts, ttlMs: number | undefined): Command[] => {
    const untilMs = Date.now() + (ttlMs ?? Number.POSITIVE_INFINITY);
    const lifeMs = lifeOf(ttlMs);
    return keys.flatMap((key): Command[] => {
      const text = texts.get(key);
      const known = extended.get(key);
      if (Math.max(markerEndsMs(text ?? ""), known?.text === text ? (known?.endsMs ?? 0) : 0) >= untilMs) return [];
      extended.set(key, { text, endsMs: Date.now() + (lifeMs ?? Number.POSITIVE_INFINITY) });
      // Another process may have given it a longer one.
      return [lifeMs === undefined ? ["PERSIST", key] : ["PEXPIRE", key, lifeMs, "GT"]];
    });
  };

  return {
    read: (tags, options, more = []) => read([...keysOf(tags), ...more], options),
    async begin({ tags, lateScope, ttlMs, texts: given }, options) {
      const { changes, suffix } = place;
      const startedMs = performance.now();
      const keys = [...keysOf(tags), ...(lateScope === undefined ? [] : [latestKey(lateScope)])];
      const isRead = given && keys.every((key) => given.has(key));
      let texts = isRead ? given : await read(keys, options);
      const absent = keys.filter((key) => texts.get(key) === undefined);
      if (absent.length > 0) texts = await readAfter(creating(absent, ttlMs), keys, trips.left(options, startedMs));
      return { tags, lateScope, ttlMs, texts, suffix, changes, order: reads.order };
    },
    async fill(load, lateTags, options) {
      const { tags, ttlMs, suffix, changes } = load;
      const late = lateTags.filter((tag) => !tags.includes(tag));
      const found = late.length === 0 ? new Map<string, string | undefined>() : await lateTexts(load, late, options);
      // What was read in the memory of this process says nothing of the primary, and the reverse.
      if (!found || ((suffix !== "" || late.length > 0) && changes !== place.changes)) return undefined;
      const texts = new Map([...load.texts, ...found]);
      const markers: Marker[] = [];
      for (const tag of [...tags, ...late]) {
        const [hard, soft] = [texts.get(hardKey(tag)), texts.get(softKey(tag))];
        if (hard === undefined || soft === undefined) return undefined;
        markers.push([tag, hard + suffix, soft + suffix]);
      }
      return { markers, commands: extending(keysOf([...tags, ...late]), texts, ttlMs) };
    },
    covers: (tags, texts) => keysOf(tags).every((key) => texts.has(key)),
    compare(markers, texts) {
      const stands = (key: string, text: string): boolean => {
        const now = texts.get(key);
        return now !== undefined && (text === now || text === now + place.suffix);
      };
      if (!markers.every(([tag, hard]) => stands(hardKey(tag), hard))) return "invalid";
      return markers.every(([tag, , soft]) => stands(softKey(tag), soft)) ? "fresh" : "stale";
    },
    async remove(kind, tags, scope, options) {
      const keys = [...tags.map(kind === "hard" ? hardKey : softKey), latestKey(scope)];
      const [reply] = await trips.send([["DEL", ...keys]], options);
      if (!isCrossSlot(reply)) return void unwrap(reply);
      // A Redis Cluster refuses keys of different slots in one command.
      const each = keys.map((key): Command => ["DEL", key]);
      for (const deleted of await trips.send(each, options)) unwrap(deleted);
    },
  };
}

/** Commands that create markers where none are. */
function creating(keys: readonly string[], ttlMs: number | undefined): Command[] {
  const lifeMs = lifeOf(ttlMs);
  const expiry = lifeMs === undefined ? [] : ["PX", lifeMs];
  return keys.map((key) => ["SET", key, markerText(lifeMs), "NX", ...expiry]);
}
