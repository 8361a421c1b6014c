import { addOptions, type Bulk } from "@continuum-cache/transport-memory/kit";
import type { KeyCommand } from "./key-command.ts";

/** A script passes on no command of more than some 8,000 words. Even, so that pairs stay together. */
const mostWords = 400;

const none = (): number => 0;

/** The commands that do the same when they are told piece by piece, and how many words each piece begins with. */
const headLength: Readonly<Record<string, (words: readonly Bulk[]) => number>> = {
  LPUSH: none,
  RPUSH: none,
  HSET: none,
  HMSET: none,
  HDEL: none,
  ZADD: (words) => words.length - addOptions(words).rest.length,
  ZREM: none,
  XDEL: none,
  XACK: () => 1,
};

/** One command as several that a script can pass on, where it may be parted. */
export function inPieces(command: KeyCommand): readonly KeyCommand[] {
  const { name, args } = command;
  const length = args.length > mostWords && headLength[name]?.(args as readonly Bulk[]);
  if (typeof length !== "number") return [command];
  const head = args.slice(0, length);
  const pieces: KeyCommand[] = [];
  for (let at = length; at < args.length; at += mostWords) {
    pieces.push({ name, args: [...head, ...args.slice(at, at + mostWords)] });
  }
  return pieces;
}
