import type { Command } from "@continuum-cache/core";
import { addOptions } from "../commands/sorted-sets.ts";
import { never } from "../keyspace/keyspace.ts";
import { type Bulk, handOut } from "../values/bulk.ts";
import type { KeyCommand, KeyWrite } from "./canonical-write.ts";

/** The command that makes a write again. */
export function commandOf(write: KeyWrite): Command {
  const { name, args } = keyCommandOf(write);
  const [first = "", ...subcommand] = name.split(" ");
  return [first, ...subcommand, write.key, ...args];
}

/** The command that makes a write again, without its key. */
export function keyCommandOf(write: KeyWrite): KeyCommand {
  switch (write.kind) {
    case "delete":
      return { name: "DEL", args: [] };
    case "set":
      return { name: "SET", args: [handOut(write.value), ...expiryOf(write)] };
    case "add":
      return { name: "INCRBY", args: [String(write.difference)] };
    case "push":
      return { name: write.end === "head" ? "LPUSH" : "RPUSH", args: write.items };
    case "pop":
      return { name: write.end === "head" ? "LPOP" : "RPOP", args: [String(write.count)] };
    case "expire":
      if (write.expiresAtMs === never) return { name: "PERSIST", args: [] };
      return { name: "PEXPIREAT", args: [String(write.expiresAtMs)] };
    case "change":
      return write;
  }
}

function expiryOf({ keepTtl, expiresAtMs }: Extract<KeyWrite, { kind: "set" }>): Bulk[] {
  if (keepTtl) return ["KEEPTTL"];
  return expiresAtMs === never ? [] : ["PXAT", String(expiresAtMs)];
}

/** A script can run no command of more than some 8,000 arguments. An even number, so that pairs stay together. */
const mostWords = 400;

const none = (): number => 0;

/** The commands that may be split, and how many arguments each part begins with. */
const headLength: Readonly<Record<string, (args: readonly Bulk[]) => number>> = {
  LPUSH: none,
  RPUSH: none,
  HSET: none,
  HMSET: none,
  HDEL: none,
  ZADD: (args) => args.length - addOptions(args).rest.length,
  ZREM: none,
  XDEL: none,
  XACK: () => 1,
};

/**
 * Splits a long command into several with the same effect, each short enough for a script, if the command may be
 * split.
 */
export function inParts(command: KeyCommand): readonly KeyCommand[] {
  const { name, args } = command;
  const length = args.length > mostWords && headLength[name]?.(args);
  if (typeof length !== "number") return [command];
  const head = args.slice(0, length);
  const parts: KeyCommand[] = [];
  for (let at = length; at < args.length; at += mostWords) {
    parts.push({ name, args: [...head, ...args.slice(at, at + mostWords)] });
  }
  return parts;
}
