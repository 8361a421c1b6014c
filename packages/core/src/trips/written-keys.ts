import { keysOf } from "../commands/command-facts.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command } from "../ports/transport.ts";

/** Keys that were written. */
export interface WrittenKeys {
  has(key: string): boolean;
  readonly isEmpty: boolean;
}

export type KeyTest = (key: string) => boolean;

/** The keys of some commands, or the whole database. */
export type KeySet = TextMap<true> | "database";

/** The keys of commands. */
export const keysIn = (commands: readonly Command[]): WrittenKeys => together([keySetOf(commands)], []);

export function keySetOf(commands: readonly Command[]): KeySet {
  const keys = new TextMap<true>();
  for (const command of commands) {
    const own = keysOf(command);
    if (own === "database") return own;
    for (const key of own) keys.set(key, true);
  }
  return keys;
}

export function together(sets: readonly KeySet[], tests: readonly KeyTest[]): WrittenKeys {
  return {
    has: (key) => sets.some((set) => set === "database" || set.has(key)) || tests.some((matches) => matches(key)),
    isEmpty: tests.length === 0 && sets.every((set) => set !== "database" && set.size === 0),
  };
}
