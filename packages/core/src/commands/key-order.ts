import type { Command } from "../ports/transport.ts";
import { isRepeatable, isWrite, keysOf } from "./command-table.ts";

/** A trip's place in the order. */
export interface Place {
  /** Resolves when every earlier trip that this one must not overtake has left; absent when there is none. */
  readonly turn: Promise<void> | undefined;
  /** Gives the place up, whether the trip succeeded or not. Safe to call twice. */
  leave(): void;
}

/** Keeps trips that touch the same key in the order in which they came, where several connections could reorder them. */
export interface KeyOrder {
  enter(commands: readonly Command[]): Place;
}

interface Claim {
  readonly left: Promise<void>;
  readonly writes: boolean;
}

/** Stands for all keys at once: commands such as FLUSHDB and SCAN. */
const database = Symbol("database");

/**
 * Readers and writers, key by key: reads share a key, a write waits for whoever holds it and whoever comes after waits
 * for the write. A command on the whole database counts as touching every key.
 */
export function createKeyOrder(): KeyOrder {
  const claims = new Map<string | symbol, Set<Claim>>();

  const blockers = (key: string | symbol, writes: boolean): Promise<void>[] => {
    const held = key === database ? [...claims.values()] : [claims.get(key), claims.get(database)];
    return held
      .flatMap((set) => [...(set ?? [])])
      .filter((claim) => writes || claim.writes)
      .map((claim) => claim.left);
  };

  return {
    enter(commands) {
      const wanted = keysByMode(commands);
      const waits = [...wanted].flatMap(([key, writes]) => blockers(key, writes));
      let leave = (): void => {};
      const left = new Promise<void>((resolve) => {
        leave = resolve;
      });
      const mine = [...wanted].map(([key, writes]) => {
        const set = claims.get(key) ?? new Set();
        const claim = { left, writes };
        claims.set(key, set.add(claim));
        return { key, set, claim };
      });
      return {
        turn: waits.length > 0 ? Promise.all(waits).then(() => {}) : undefined,
        leave() {
          for (const { key, set, claim } of mine) {
            set.delete(claim);
            if (set.size === 0 && claims.get(key) === set) claims.delete(key);
          }
          leave();
        },
      };
    },
  };
}

/** Each key (or channel) that the commands touch, and whether any of them writes it (or publishes there). */
function keysByMode(commands: readonly Command[]): Map<string | symbol, boolean> {
  const wanted = new Map<string | symbol, boolean>();
  for (const command of commands) {
    const keys = keysOf(command);
    const writes = isWrite(command) || !isRepeatable(command);
    for (const key of keys === "database" ? [database] : keys) wanted.set(key, writes || (wanted.get(key) ?? false));
  }
  return wanted;
}
