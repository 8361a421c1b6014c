import type { Argument, Command } from "@continuum-cache/core";
import { isWrite, keysOf, TextMap } from "@continuum-cache/core/kit";
import { type Bulk, byteLength, bytesOverheadBytes, toBulk } from "@continuum-cache/transport-memory/kit";
import { changeOverheadBytes } from "./pending-change.ts";
import { deleteOverheadBytes, patternOverheadBytes, type Segment } from "./segment.ts";

/** An amount of entries and bytes in a journal. */
export interface Room {
  readonly entries: number;
  readonly bytes: number;
}

/** The most that an argument counts on top of its bytes. */
const argumentOverheadBytes = 80;
/** The size of the expected states of a key, in bytes. */
const expectedStatesBytes = 400;

/**
 * The most that a segment grows by the writes of these commands, and by these patterns. RENAME, SETRANGE and scripts
 * may write more than their arguments show. Deleting a key that the segment holds takes nothing.
 */
export function neededRoom(segment: Segment, commands: readonly Command[], globs: readonly string[]): Room {
  let [entries, bytes] = [0, 0];
  const counted = new TextMap<true>();
  for (const command of commands) {
    const keys = isWrite(command) ? keysOf(command) : [];
    if (keys === "database" || keys.length === 0) continue;
    const isDelete = /^(del|unlink)$/i.test(command[0]);
    if (!isDelete) bytes += command.slice(1).reduce((sum: number, arg) => sum + bytesOfArgument(arg), 0);
    for (const text of keys) {
      if (counted.has(text)) continue;
      counted.set(text, true);
      const key: Bulk = toBulk(text);
      const state = segment.stateOf(key);
      if (state === "changed" || (isDelete && state !== "none")) continue;
      if (state !== "deleted") entries++;
      bytes += byteLength(key) + (isDelete ? deleteOverheadBytes : changeOverheadBytes + expectedStatesBytes);
    }
  }
  for (const glob of globs) {
    if (segment.patterns.get(glob)) continue;
    entries++;
    bytes += byteLength(glob) + patternOverheadBytes;
  }
  return { entries, bytes };
}

const bytesOfArgument = (argument: Argument): number =>
  argumentOverheadBytes +
  (argument instanceof Uint8Array ? argument.length + bytesOverheadBytes : byteLength(String(argument)));
