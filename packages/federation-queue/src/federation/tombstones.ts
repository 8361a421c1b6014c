import { type Command, isTransportError, type Reply } from "@continuum-cache/core";
import { compileGlob, defineScript, type Script, serverTimeMs, unwrap } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import {
  type HybridTimestamp,
  isLater,
  readTimestamp,
  ticksPerMs,
  timestampLua,
  writeTimestamp,
} from "./hybrid-timestamp.ts";

/**
 * Remembers when a pattern was deleted last.
 *
 * KEYS: the hash of tombstones. ARGV: the pattern, its timestamp, the tiebreaker of its origin, how long to keep it in
 * ms. Returns 1, or 0 when a later one is known.
 */
export const tombstoneScript: Script = defineScript({
  name: "federation-tombstone",
  keys: 1,
  lua: `${timestampLua}
local tombstones, glob, at, tiebreaker, keepMs = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not isLater(at, tiebreaker, redis.call("HGET", tombstones, glob)) then return 0 end
redis.call("HSET", tombstones, glob, at .. " " .. tiebreaker)
redis.call("PEXPIRE", tombstones, keepMs)
return 1`,
  memory: ({ call, keys: [tombstones = ""], args }) => {
    const [glob = "", at, tiebreaker, keepMs = ""] = args.map(String);
    const timestamp = { at: Number(at), tiebreaker: Number(tiebreaker) };
    if (!isLater(timestamp, readTimestamp(call("HGET", tombstones, glob)))) return 0;
    call("HSET", tombstones, glob, writeTimestamp(timestamp));
    call("PEXPIRE", tombstones, keepMs);
    return 1;
  },
});

/**
 * The latest timestamp that this process has observed, so that its next write is later. A timestamp from a region whose
 * clock is ahead is stored in the database beside the tombstones, so that this whole region knows it.
 */
export interface FederationClock {
  readonly latest: number;
  observe(at: number): void;
  /**
   * A write with this timestamp is in the database, or is about to be. Asks the server only if the timestamp may be
   * ahead of its clock, which the caller may know. @throws TransportError or CommandError.
   */
  record(at: number, nowMs?: number): Promise<void>;
  /**
   * A timestamp for now: later than all that are known here, and than all others of this millisecond. While the server
   * is away it is by this machine's clock.
   */
  now(): Promise<number>;
}

/** The field of the hash of tombstones that keeps the latest timestamp from ahead: an empty pattern does not exist. */
const aheadField = "";

export function createFederationClock(link: PrimaryClient, tombstonesKey: string, keepMs: number): FederationClock {
  let latest = 0;
  /** The server's clock less the monotonic one. */
  let offsetMs: number | undefined;
  /** The latest timestamp from ahead that is known to be in the database. */
  let storedAhead = 0;
  const observe = (at: number): void => {
    latest = Math.max(latest, at);
  };

  const ask = async (): Promise<number> => {
    const [time, ahead] = await link.send([["TIME"], ["HGET", tombstonesKey, aheadField] as Command]);
    const ms = serverTimeMs(unwrap(time));
    offsetMs = ms - performance.now();
    storedAhead = Math.max(storedAhead, readTimestamp(unwrap(ahead)).at);
    observe(storedAhead);
    return ms;
  };
  const serverMs = (): number => (offsetMs === undefined ? 0 : offsetMs + performance.now());

  return {
    get latest() {
      return latest;
    },
    observe,
    async record(at, nowMs = serverMs()) {
      observe(at);
      if (at <= storedAhead || isPast(at, nowMs)) return;
      if (isPast(at, await ask())) return;
      await link.run(tombstoneScript, [tombstonesKey], [aheadField, at, 0, keepMs]);
      storedAhead = Math.max(storedAhead, at);
    },
    async now() {
      const ms = await ask().catch((error: unknown) => {
        if (!isTransportError(error)) throw error;
        return Date.now();
      });
      observe(Math.max((ms + 1) * ticksPerMs, latest + 1));
      return latest;
    },
  };
}

/** Whether a pattern that is deleted when the clock shows this, or later, comes after the timestamp. */
const isPast = (at: number, nowMs: number): boolean => at < (Math.floor(nowMs) + 1) * ticksPerMs;

/**
 * The patterns that were deleted within the retention, and when. A `set` from before such a delete that arrives late
 * must not bring its value back, although no clock exists for its key. The database keeps them for instances that start
 * later.
 */
export interface PatternTombstones {
  /**
   * Reads the stored tombstones, and deletes those that are too old to matter.
   *
   * @throws TransportError or CommandError.
   */
  load(): Promise<void>;
  /** Takes effect at once. */
  add(glob: string, timestamp: HybridTimestamp): void;
  /** Writes a tombstone to the database. @throws TransportError or CommandError. */
  store(glob: string, timestamp: HybridTimestamp): Promise<void>;
  /** Whether a key that was set at this time was deleted with a pattern since. */
  covers(fullKey: string, timestamp: HybridTimestamp): boolean;
}

interface Tombstone extends HybridTimestamp {
  readonly matches: (key: string) => boolean;
}

/** More than these become one that stands for all: dropping a late value is better than bringing an old one back. */
const mostTombstones = 1_000;

/** @param everything - Globs of all shared keys; like all globs here they begin with the cache's prefix. */
export function createPatternTombstones(
  link: PrimaryClient,
  key: string,
  keepMs: number,
  everything: readonly string[],
): PatternTombstones {
  const tombstones = new Map<string, Tombstone>();

  const add = (glob: string, { at, tiebreaker }: HybridTimestamp): void => {
    const known = tombstones.get(glob);
    if (known && !isLater({ at, tiebreaker }, known)) return;
    tombstones.set(glob, { at, tiebreaker, matches: known?.matches ?? compileGlob(glob) });
    if (tombstones.size <= mostTombstones + everything.length) return;
    const latest = [...tombstones.values()].reduce((one, other) => (isLater(other, one) ? other : one));
    tombstones.clear();
    for (const all of everything) tombstones.set(all, { ...latest, matches: compileGlob(all) });
  };

  return {
    add,
    async load() {
      const reply = unwrap((await link.send([["HGETALL", key]]))[0]) as readonly Reply[] | null;
      const words = (reply ?? []).map(String);
      const oldest = (Date.now() - keepMs) * ticksPerMs;
      const stale: string[] = [];
      for (let at = 0; at + 1 < words.length; at += 2) {
        const [glob = "", timestamp] = [words[at], readTimestamp(words[at + 1])];
        if (glob === aheadField) continue;
        if (timestamp.at < oldest) stale.push(glob);
        else add(glob, timestamp);
      }
      if (stale.length > 0) await link.send([["HDEL", key, ...stale] as Command]);
    },
    async store(glob, { at, tiebreaker }) {
      await link.run(tombstoneScript, [key], [glob, at, tiebreaker, keepMs]);
    },
    covers: (fullKey, timestamp) =>
      [...tombstones.values()].some((one) => isLater(one, timestamp) && one.matches(fullKey)),
  };
}
