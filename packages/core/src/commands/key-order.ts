import { type Claim, createClaim, type WaitOptions } from "../claims/claim.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command } from "../ports/transport.ts";
import { isRepeatable, isWrite, keysOf } from "./command-facts.ts";

/** A trip's turn among the trips to the same keys. */
export interface KeyTurn {
  /** Whether earlier trips are in flight that this one must not overtake. */
  readonly mustWait: boolean;
  /** Waits until they have left, or have expired. Resolves to false when the wait was over first. */
  turn(wait?: WaitOptions): Promise<boolean>;
  /** Ends the turn, after success or failure. Safe to call twice. */
  leave(): void;
}

/**
 * Keeps trips that touch the same key in the order in which they came, where several connections could reorder them.
 */
export interface KeyOrder {
  /** @param timeoutMs - The trip's deadline: later trips pass one that has not left by then. Default: never. */
  enter(commands: readonly Command[], timeoutMs?: number): KeyTurn;
}

interface Entry {
  readonly claim: Claim;
  readonly writes: boolean;
}

interface Entered {
  readonly endsMs: number;
  leave(): void;
}

/** Stands for all keys at once: commands such as FLUSHDB and SCAN. */
const database = "\ud800";

/**
 * Readers and writers, key by key: reads share a key, a write waits for all that hold it and all that come after wait
 * for the write. A command on the whole database counts as touching every key. On the edge a trip can vanish with its
 * request: its place is lost soon after.
 */
export function createKeyOrder(): KeyOrder {
  const entries = new TextMap<Set<Entry>>();
  const entered = new Set<Entered>();

  const blockers = (key: string, writes: boolean): Claim[] => {
    const held = key === database ? [...entries.values()] : [entries.get(key), entries.get(database)];
    return held
      .flatMap((set) => [...(set ?? [])])
      .filter((entry) => writes || entry.writes)
      .map(({ claim }) => claim);
  };

  /** Ends the turns of vanished trips, the oldest first: they would last for ever. */
  const dropExpired = (nowMs: number): void => {
    for (const oldest of entered) {
      if (oldest.endsMs > nowMs) return;
      oldest.leave();
    }
  };

  return {
    enter(commands, timeoutMs = Number.POSITIVE_INFINITY) {
      const nowMs = performance.now();
      dropExpired(nowMs);
      const wanted = keysByMode(commands);
      const before = new Set([...wanted].flatMap(([key, writes]) => blockers(key, writes)));
      const claim = createClaim({ timeoutMs });
      const mine = [...wanted].map(([key, writes]) => {
        const set = entries.get(key) ?? new Set();
        const entry = { claim, writes };
        entries.set(key, set.add(entry));
        return { key, set, entry };
      });
      const place: Entered = {
        endsMs: nowMs + timeoutMs,
        leave() {
          entered.delete(place);
          for (const { key, set, entry } of mine) {
            set.delete(entry);
            if (set.size === 0 && entries.get(key) === set) entries.delete(key);
          }
        },
      };
      entered.add(place);
      return {
        mustWait: before.size > 0,
        async turn({ timeoutMs: longestMs = Number.POSITIVE_INFINITY, signal } = {}) {
          const lateMs = performance.now() + longestMs;
          for (const earlier of before) {
            if (!(await earlier.released({ timeoutMs: lateMs - performance.now(), signal }))) return false;
          }
          return true;
        },
        leave() {
          place.leave();
          claim.release();
        },
      };
    },
  };
}

/** Each key (or channel) that the commands touch, and whether any of them writes it (or publishes there). */
function keysByMode(commands: readonly Command[]): TextMap<boolean> {
  const wanted = new TextMap<boolean>();
  for (const command of commands) {
    const keys = keysOf(command);
    const writes = isWrite(command) || !isRepeatable(command);
    for (const key of keys === "database" ? [database] : keys) wanted.set(key, writes || (wanted.get(key) ?? false));
  }
  return wanted;
}
