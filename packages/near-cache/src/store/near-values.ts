import type { Command, Reply, SendOptions } from "@continuum-cache/core";
import {
  compileGlob,
  isInternalKey,
  isSealed,
  isWrite,
  type KeepRead,
  keysOf,
  type NearCacheHost,
  type NearStats,
  type NearStore,
} from "@continuum-cache/core/kit";
import { LRUCache } from "lru-cache";
import { type Feed, type FeedFollower, type Instant, instant } from "../feed/feed.ts";
import type { Invalidation } from "../feed/record.ts";
import { compareIds, type StreamId } from "../feed/stream-id.ts";
import type { NearCacheSettings } from "../settings.ts";
import { freezeDeeply } from "./frozen.ts";
import { type ReadStart, RecentChanges } from "./recent-changes.ts";

/** A value that is held. */
interface Held {
  /** What hits hand out; undefined where each gets a value of its own, decoded from `stored`. */
  readonly value: unknown;
  readonly stored: string | Uint8Array | undefined;
  /** The value shows all writes that were announced up to this id. */
  readonly knownId: StreamId;
  /** It is held no longer than this, by either clock. */
  readonly ends: Instant;
}

/** Longer keys are not held: V8 puts all of one length into one place of a Map. */
const maxKeyCharacters = 1_024;

/** What an entry takes beside its value and key. */
const overheadBytes = 64;

/** Before any moment of either clock. */
const never: Instant = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

/** The values that one cache holds in this process. It follows the invalidations. */
export class NearValues implements NearStore, FeedFollower {
  readonly maxStalenessMs: number;
  readonly #settings: NearCacheSettings;
  readonly #host: NearCacheHost;
  readonly #feed: Feed;
  readonly #matchers: readonly ((key: string) => boolean)[];
  readonly #held: LRUCache<string, Held>;
  readonly #changes = new RecentChanges();
  readonly #stopWatching: (() => void) | undefined;
  /** Until then a hit is within the bound, by the latest look. */
  #goodUntil: Instant = never;
  #isClosed = false;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #syncs = 0;

  constructor(settings: NearCacheSettings, host: NearCacheHost, feed: Feed, globs: readonly string[]) {
    this.maxStalenessMs = settings.maxStalenessMs;
    this.#settings = settings;
    this.#host = host;
    this.#feed = feed;
    this.#matchers = globs.map(compileGlob);
    this.#held = new LRUCache({
      maxSize: settings.maxBytes,
      dispose: (_value, _key, reason) => {
        if (reason === "evict") this.#evictions++;
      },
    });
    // Answers of the memory prove nothing of the server, nor do values from before an outage.
    this.#stopWatching = host.transport.status?.onChange(() => feed.reset());
    feed.followers.push(this);
  }

  get(key: string): unknown {
    const value = this.peek(key);
    if (value !== undefined) this.#hits++;
    return value;
  }

  peek(key: string): unknown {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    const monotonic = performance.now();
    if (monotonic > this.#goodUntil.monotonic || monotonic > held.ends.monotonic) return undefined;
    const wall = Date.now();
    if (wall > this.#goodUntil.wall || wall > held.ends.wall) return undefined;
    return held.stored === undefined ? held.value : this.#host.decode(held.stored);
  }

  async read(key: string, options: SendOptions): Promise<unknown> {
    const startedMs = performance.now();
    // A call with options comes here first.
    const value = options.signal?.aborted ? undefined : this.get(key);
    if (value !== undefined) return value;
    const proving = this.prove(key, options);
    const proven = proving && (await proving);
    if (proven !== undefined) return proven;
    if (!proving) return this.#host.read(key, options, this.begin(key));
    const leftMs = (options.timeoutMs ?? this.#host.timeoutMs) - (performance.now() - startedMs);
    return this.#host.read(key, { ...options, timeoutMs: Math.max(1, Math.ceil(leftMs)) }, this.begin(key));
  }

  prove(key: string, { timeoutMs = this.#host.timeoutMs, signal }: SendOptions): Promise<unknown> | undefined {
    if (signal?.aborted || !this.#isHeld(key)) return undefined;
    // The other half of the time is for reading the value.
    return this.#prove(key, performance.now() + timeoutMs / 2, signal);
  }

  begin(key: string): KeepRead | undefined {
    if (this.#isClosed || typeof key !== "string" || key.length > maxKeyCharacters) return undefined;
    if (!this.#matches(this.#host.keyPrefix + key) || this.#isLocal) return undefined;
    this.#misses++;
    const { knownId, epoch } = this.#feed;
    if (knownId === undefined) return undefined;
    const start: ReadStart = { changes: this.#changes.count, knownId };
    const started = instant();
    return (stored, value) => {
      if (this.#feed.epoch !== epoch || !this.#changes.isUnchanged(key, start) || this.#isLocal) return value;
      return this.#keep(key, stored, value, knownId, started);
    };
  }

  written(commands: readonly Command[]): void {
    for (const command of commands) {
      if (!isWrite(command)) continue;
      const keys = keysOf(command);
      if (keys === "database") this.#forgetAll();
      else for (const key of keys) this.#written(key);
    }
  }

  writtenWhere(glob: string): void {
    const matches = compileGlob(glob);
    this.#changes.writtenWhere((key) => matches(this.#host.keyPrefix + key));
    this.#forgetWhere((key) => matches(this.#host.keyPrefix + key));
  }

  stats(): NearStats {
    return {
      hits: this.#hits,
      misses: this.#misses,
      bytes: this.#held.calculatedSize,
      entries: this.#held.size,
      evictions: this.#evictions,
      syncs: this.#syncs,
      staleBoundMs: this.maxStalenessMs,
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWatching?.();
    this.reset();
    const at = this.#feed.followers.indexOf(this);
    if (at >= 0) this.#feed.followers.splice(at, 1);
  }

  mayHold(key: string): boolean {
    return this.#matches(key);
  }

  invalidated(invalidation: Invalidation, id: StreamId): void {
    switch (invalidation.kind) {
      case "key": {
        const key = this.#ownKey(invalidation.key);
        if (key !== undefined) this.#invalidateKey(key, id);
        return;
      }
      case "glob": {
        const matches = compileGlob(invalidation.glob);
        const matchesOwn = (key: string): boolean => matches(this.#host.keyPrefix + key);
        this.#changes.announcedWhere(matchesOwn, id);
        this.#forgetWhere((key, { knownId }) => compareIds(id, knownId) > 0 && matchesOwn(key));
        return;
      }
      // No value that is held says which tags it has.
      case "tag":
      case "unknown":
        this.#forgetAll();
    }
  }

  looked(started: Instant): void {
    this.#syncs++;
    const monotonic = started.monotonic + this.maxStalenessMs;
    // The looks may end in another order.
    if (monotonic > this.#goodUntil.monotonic) {
      this.#goodUntil = { monotonic, wall: started.wall + this.maxStalenessMs };
    }
  }

  reset(): void {
    this.#goodUntil = never;
    this.#forgetAll();
  }

  countCommands(commands: number): void {
    this.#host.countCommands(commands);
  }

  async #prove(key: string, endsMs: number, signal: AbortSignal | undefined): Promise<unknown> {
    // A look that was under way may have begun too early for this call.
    for (let looks = 0; looks < 2 && this.#isHeld(key); looks++) {
      const leftMs = endsMs - performance.now();
      if (leftMs <= 0 || signal?.aborted) break;
      await this.#feed.look({ timeoutMs: leftMs, ...(signal && { signal }) });
      const value = this.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Whether a value is held that a look at the invalidations could prove fresh. */
  #isHeld(key: string): boolean {
    const held = this.#held.peek(key);
    return held !== undefined && performance.now() <= held.ends.monotonic && Date.now() <= held.ends.wall;
  }

  get #isLocal(): boolean {
    return this.#host.transport.status?.currentBackend === "local";
  }

  #matches(fullKey: string): boolean {
    // Markers of tags change with each invalidation, and no read of a value goes through here for them.
    return !isInternalKey(fullKey) && this.#matchers.some((matches) => matches(fullKey));
  }

  #ownKey(fullKey: string): string | undefined {
    const { keyPrefix } = this.#host;
    return fullKey.startsWith(keyPrefix) ? fullKey.slice(keyPrefix.length) : undefined;
  }

  #written(fullKey: string): void {
    const key = this.#ownKey(fullKey);
    if (key === undefined || !this.#matches(fullKey)) return;
    this.#changes.written(key);
    this.#held.delete(key);
  }

  #invalidateKey(key: string, id: StreamId): void {
    this.#changes.announced(key, id);
    const held = this.#held.peek(key);
    // What was read after this announcement was known shows the write already.
    if (held && compareIds(id, held.knownId) > 0) this.#held.delete(key);
  }

  #forgetWhere(test: (key: string, held: Held) => boolean): void {
    const doomed = [...this.#held.entries()].filter(([key, held]) => test(key, held));
    for (const [key] of doomed) this.#held.delete(key);
  }

  #forgetAll(): void {
    this.#changes.everything();
    this.#held.clear();
  }

  /** @returns what the caller of the read gets. */
  #keep(key: string, stored: Reply | undefined, value: unknown, knownId: StreamId, started: Instant): unknown {
    if (!isPlain(stored)) return value;
    const { ttlMs, values } = this.#settings;
    const ends = { monotonic: started.monotonic + ttlMs, wall: started.wall + ttlMs };
    const size = stored.length + key.length + overheadBytes;
    if (size > this.#settings.maxBytes) return value;
    const own = value === undefined ? this.#decoded(stored) : value;
    if (own === undefined) return value;
    const isShared = values === "shared" || (values === "frozen" && freezeDeeply(own));
    const isPrimitive = typeof own !== "object" || own === null;
    const held: Held =
      isShared || isPrimitive
        ? { value: own, stored: undefined, knownId, ends }
        : { value: undefined, stored, knownId, ends };
    this.#held.set(key, held, { size });
    if (value === undefined || isShared || isPrimitive || values === "copy") return value;
    // Some of it may be frozen now.
    return this.#host.decode(stored);
  }

  /** The value of a stored text; undefined where it can't be read, which the read itself reports. */
  #decoded(stored: string | Uint8Array): unknown {
    try {
      return this.#host.decode(stored);
    } catch {
      return undefined;
    }
  }
}

/** The letter of an envelope that begins with a header. */
const headerLetter = 0x68;

/**
 * Whether a reply is a stored value without a header. What has one, such as tags or an end of its freshness, means
 * more than the value that it is decoded to.
 */
function isPlain(stored: Reply | undefined): stored is string | Uint8Array {
  if (typeof stored === "string") return !/^(?:~|=wW[g-j])/.test(stored);
  return stored instanceof Uint8Array && !(isSealed(stored) && stored[1] === headerLetter);
}
