import type { Command, Reply, SendOptions, Transport } from "./transport.ts";

/**
 * Keeps values that this process has read close at hand: the option `near` of a cache. `nearCache` of
 * `@continuum-cache/near-cache` makes one.
 */
export interface NearCache {
  /**
   * Called once for each cache that has this option.
   *
   * @returns what the cache reads through; undefined where its transport is the memory of this process, which is as
   *   near.
   */
  attach(host: NearCacheHost): NearStore | undefined;
}

/** What a near cache has to know of the cache in front of which it stands. */
export interface NearCacheHost {
  readonly transport: Transport;
  /** Put before every key at the server. */
  readonly keyPrefix: string;
  /** The deadline of a call that brings none, in milliseconds. */
  readonly timeoutMs: number;
  /** Decodes a stored value into an object of its own. @throws CodecError when it can't be read. */
  decode(stored: string | Uint8Array): unknown;
  /** Counts commands that the near cache sends for itself. */
  countCommands(commands: number): void;
  /** Reads a value from the server. @param keep - Gets the reply, and returns what the caller gets. */
  read(key: string, options: SendOptions, keep?: KeepRead): Promise<unknown>;
}

/**
 * Keeps what a read has brought, unless its key was written or invalidated since the read began.
 *
 * @param stored - What the server answered.
 * @param value - What that means, an object of the caller's own; undefined to have it decoded where it is needed.
 * @returns what the caller gets.
 */
export type KeepRead = (stored: Reply | undefined, value: unknown) => unknown;

/** The values that one cache holds in the process. Keys are the caller's, without the prefix. */
export interface NearStore {
  /** The value that is held and is provably fresh enough, counted as a hit; else undefined. Sends nothing. */
  get(key: string): unknown;
  /** The same, not counted. */
  peek(key: string): unknown;
  /** Reads a value that `get` did not find: proves it fresh by a look at the invalidations, or asks the server. */
  read(key: string, options: SendOptions): Promise<unknown>;
  /** The first half of that: the value that is held, if a look can prove it fresh; else undefined. */
  prove(key: string, options: SendOptions): Promise<unknown> | undefined;
  /** A read is about to be sent. @returns undefined when its value is not to be kept. */
  begin(key: string): KeepRead | undefined;
  /** Commands of this cache are about to be sent: what they write is held no longer. */
  written(commands: readonly Command[]): void;
  /** The same for the keys of a glob, prefix and all. */
  writtenWhere(glob: string): void;
  /** Undefined before its code is loaded. */
  stats(): NearStats | undefined;
  /** Holds nothing from now on. */
  close(): void;
}

/** What a near cache has done since it was made. */
export interface NearStats {
  /** Reads that were answered in the process. */
  readonly hits: number;
  /** Reads of keys that it may hold, which went to the server. */
  readonly misses: number;
  /** The stored sizes of all values held, with their keys. */
  readonly bytes: number;
  readonly entries: number;
  /** Values that made room for others. */
  readonly evictions: number;
  /** Successful looks at the invalidations. */
  readonly syncs: number;
  /** No hit is older than this, in milliseconds, counted from the start of the last successful look. */
  readonly staleBoundMs: number;
}
