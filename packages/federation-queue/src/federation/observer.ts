import {
  type Argument,
  type Command,
  escapeGlob,
  isCommandError,
  type Reply,
  type SendOptions,
} from "@continuum-cache/core";
import { chunked, isUnanswered, type WriteObserver } from "@continuum-cache/core/kit";
import type { CacheChange } from "./cache-change.ts";
import type { ChangePublisher } from "./change-publisher.ts";
import type { Follower } from "./follower.ts";
import type { FederationSettings } from "./settings.ts";
import { type Put, perEvent, type ValueSync } from "./value-sync.ts";

/**
 * Publishes the writes of this instance's callers.
 *
 * @param values - Absent when the federation shares only deletes.
 */
export function createObserver(
  settings: FederationSettings,
  values: ValueSync | undefined,
  publisher: ChangePublisher,
  follower: Follower,
): WriteObserver {
  /** Patterns are published when the run of SCAN begins: writes during the run are later. */
  const invalidated = async (globs: readonly string[]): Promise<CacheChange> => {
    if (!values) return { type: "fed.invalidate", globs };
    const { clock, tombstones, tiebreaker } = values;
    const at = await clock.now();
    const change: CacheChange = { type: "fed.invalidate", globs, at };
    for (const glob of globs) tombstones.add(settings.fullGlob(glob), { at, tiebreaker });
    // An older change of another instance that is just being applied may write behind the run, and instances that start
    // later must find the tombstones in the database. Applying the invalidation once more takes care of both.
    follower.reapply(change, settings.log.instanceId);
    return change;
  };

  return async (commands, replies, options) => {
    const { deleted, puts, globs } = writtenBy(settings, commands, replies, options);
    const { fallback = true, signal, timeoutMs } = options;
    const asked = {
      fallback,
      ...(signal && { signal }),
      ...(timeoutMs !== undefined && { timeout: `${timeoutMs}ms` as const }),
    };
    if (globs.length > 0) await publisher.publish([await invalidated(globs)], asked);
    if (!values) {
      const keys = [...new Set(deleted)];
      const changes = chunked(keys, perEvent).map((part): CacheChange => ({ type: "fed.delete", keys: part }));
      if (changes.length > 0) await publisher.publish(changes, asked);
      return;
    }
    if (puts.length === 0) return;
    let changes: readonly CacheChange[];
    try {
      changes = await values.put(puts);
    } catch (error) {
      // The time of these writes is unknown: the keys are deleted everywhere.
      publisher.invalidateLater(puts.map(({ key }) => key));
      if (!fallback || !isUnanswered(error)) throw error;
      return;
    }
    await publisher.publish(changes, asked);
  };
}

/** The shared keys that a call has changed. Keys in `puts` include the cache's prefix, all others do not. */
interface Written {
  readonly deleted: readonly string[];
  /** With values: everything in order, deletes too. */
  readonly puts: readonly Put[];
  /** Patterns that are being deleted; published with the first round trip of the run. */
  readonly globs: readonly string[];
}

const text = (argument: Argument | undefined): string =>
  argument instanceof Uint8Array ? new TextDecoder().decode(argument) : String(argument);

function writtenBy(
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
