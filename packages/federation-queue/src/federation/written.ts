import {
  type Argument,
  type Command,
  escapeGlob,
  isCommandError,
  type Reply,
  type SendOptions,
} from "@continuum-cache/core";
import type { Put } from "./put-script.ts";
import type { FederationSettings } from "./settings.ts";

/** The shared keys that a call has changed. Keys in `puts` include the cache's prefix, all others do not. */
export interface Written {
  readonly deleted: readonly string[];
  /** With values: everything in order, deletes too. */
  readonly puts: readonly Put[];
  /** Patterns that are being deleted; published with the first round trip of the run. */
  readonly globs: readonly string[];
}

const text = (argument: Argument | undefined): string =>
  argument instanceof Uint8Array ? new TextDecoder().decode(argument) : String(argument);

export function writtenBy(
  { cache, scope, values }: FederationSettings,
  commands: readonly Command[],
  replies: readonly Reply[],
  options: SendOptions,
): Written {
  const prefix = cache.keyPrefix;
  const isShared = (key: string): boolean => key.startsWith(prefix) && scope.has(key.slice(prefix.length));
  if (options.invalidates) {
    const isFirst = commands.some(([name, cursor]) => name === "SCAN" && String(cursor) === "0");
    const start = escapeGlob(prefix).length;
    const globs = isFirst ? options.invalidates.flatMap((glob) => scope.within(glob.slice(start))) : [];
    return { deleted: [], puts: [], globs };
  }
  const deleted: string[] = [];
  const puts = new Map<string, Put>();
  const put = (one: Put): void => {
    // Of several writes of a key in one call only the last counts.
    puts.delete(one.key);
    puts.set(one.key, one);
  };
  for (const [at, command] of commands.entries()) {
    const reply = replies[at];
    if (isCommandError(reply)) continue;
    const [name, ...args] = command;
    if (name === "DEL") {
      for (const key of args.map(text).filter(isShared)) {
        deleted.push(key.slice(prefix.length));
        put({ key, kind: "delete" });
      }
    } else if (values && name === "SET" && reply === "OK") {
      const [key, value, ...words] = args;
      if (value === undefined || !isShared(text(key))) continue;
      const ttlMs = timeToLive(words);
      put({ key: text(key), kind: words.includes("KEEPTTL") ? "keep" : "set", value, ttlMs });
    }
  }
  return { deleted, puts: values ? [...puts.values()] : [], globs: [] };
}

function timeToLive(words: readonly Argument[]): number | undefined {
  const at = words.findIndex((word) => word === "EX" || word === "PX");
  if (at < 0) return undefined;
  return Number(words[at + 1]) * (words[at] === "EX" ? 1_000 : 1);
}
