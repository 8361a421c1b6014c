import type { Codec } from "../codecs/codec.ts";
import { unwrap } from "../errors/command-error.ts";
import { ConfigError } from "../errors/config-error.ts";
import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import type { Marker } from "../tags/marker-store.ts";
import { raw, together } from "./calls.ts";
import { withHeader } from "./entry.ts";
import { valuesOf } from "./pipeline.ts";
import type { Request } from "./requests.ts";
import type { SetOptions } from "./set-options.ts";
import { inSteps, type TaggedCalls, type TagScope } from "./tagged-calls.ts";
import { expiryArguments, type TimeToLive, ttlToMs } from "./time-to-live.ts";
import type { Values } from "./values.ts";

/** What writes need besides: how values are written, and how long a call may take. */
export interface WriteScope extends TagScope {
  readonly codec: Codec;
  readonly values: Values;
  readonly timeoutMs: number;
}

interface TaggedValue {
  readonly key: string;
  readonly fullKey: string;
  readonly tags: readonly string[];
  readonly ttlMs: number | undefined;
  readonly written: string | Uint8Array;
}

/** Matches no marker: the value was invalidated while it was being stored. */
const voidText = "-";

/**
 * Stores values with tags: one read of all their markers, then one SET each. A tag that is invalidated in between
 * invalidates the value: the write counts as the earlier of the two.
 */
export async function setTagged(
  calls: TaggedCalls,
  scope: WriteScope,
  entries: readonly (readonly [key: string, value: unknown])[],
  { tags: own, ...options }: SetOptions,
  asked: SendOptions,
): Promise<boolean[]> {
  const startedMs = performance.now();
  const left = (): SendOptions => {
    const leftMs = (asked.timeoutMs ?? scope.timeoutMs) - (performance.now() - startedMs);
    return { ...asked, timeoutMs: inSteps(leftMs) };
  };
  const values = entries.map(([key, value]): Request<boolean> | TaggedValue => {
    const tags = calls.tagsOf(scope, key, own);
    // `tagsOf` is asked again here: a key that has none is stored as usual.
    if (tags.length === 0) return scope.requests.set(key, value, options);
    assertUnconditional(options);
    const { fullKey } = scope.requests.get(key);
    return { key, fullKey, tags, ttlMs: scope.requests.ttlMsOf(key, options.ttl), written: scope.codec.encode(value) };
  });
  const tagged = values.filter((value): value is TaggedValue => "tags" in value);
  const ttls = tagged.map(({ ttlMs }) => ttlMs ?? Number.POSITIVE_INFINITY);
  const longestMs = Math.max(0, ...ttls);
  const begun = await calls.store.begin(
    {
      tags: [...new Set(tagged.flatMap(({ tags }) => tags))],
      lateScope: undefined,
      ttlMs: longestMs === Number.POSITIVE_INFINITY ? undefined : longestMs,
    },
    asked,
  );
  const requests: Request<boolean>[] = [];
  for (const value of values) {
    if (!("tags" in value)) {
      requests.push(value);
      continue;
    }
    const { key, fullKey, tags, ttlMs, written } = value;
    const filled = await calls.store.fill({ ...begun, tags, ttlMs }, [], asked);
    const markers = filled?.markers ?? tags.map((tag): Marker => [tag, voidText, voidText]);
    const stored = withHeader({ markers }, written);
    const set: Command = ["SET", fullKey, stored, ...expiryArguments(ttlMs)];
    calls.hint(fullKey, tags);
    const commands = scope.values.fits(key, stored) ? [...(filled?.commands ?? []), set] : [];
    requests.push(setting(commands));
  }
  const operation = requests.length === 1 ? "set" : "setMany";
  return valuesOf(await scope.calls.one(() => [together(operation, requests), left()])) as boolean[];
}

function setting(commands: readonly Command[]): Request<boolean> {
  const read = (replies: readonly Reply[], at: number) => unwrap(replies[at + commands.length - 1]) === "OK";
  return { operation: "set", commands, read: (replies, at) => commands.length > 0 && read(replies, at) };
}

/** @throws ConfigError when a condition is asked of a value with tags. */
function assertUnconditional(options: SetOptions): void {
  for (const name of ["nx", "xx", "keepTtl"] as const) {
    if (!options[name]) continue;
    throw new ConfigError(
      name,
      `A value with tags can't be set with \`${name}\`: Redis would count a value whose tags are invalidated. Leave ` +
        "it out, or use a key without tags",
    );
  }
}

/** Whether there is a value, and its tags are valid. */
export async function existsTagged(
  calls: TaggedCalls,
  scope: TagScope,
  key: string,
  asked: SendOptions,
): Promise<boolean> {
  const [found] = await calls.getMany(scope, [key], asked);
  return found !== undefined;
}

/** How many seconds a value has left, as TTL says it. Two commands in one round trip. */
export async function ttlTagged(calls: TaggedCalls, scope: TagScope, key: string, asked: SendOptions): Promise<number> {
  const { fullKey } = scope.requests.get(key);
  const [exists, [ttl]] = await Promise.all([
    existsTagged(calls, scope, key, asked),
    scope.calls.one(() => [raw("ttl", [["TTL", fullKey]]), asked]),
  ]);
  return exists ? Number(unwrap(ttl)) : -2;
}

/** Gives a value another time to live, if its tags are valid. */
export async function expireTagged(
  calls: TaggedCalls,
  scope: TagScope,
  key: string,
  ttl: TimeToLive,
  asked: SendOptions,
): Promise<boolean> {
  const ttlMs = ttlToMs(ttl);
  const { fullKey } = scope.requests.get(key);
  if (!(await existsTagged(calls, scope, key, asked))) return false;
  const command: Command = ttlMs === undefined ? ["PERSIST", fullKey] : ["PEXPIRE", fullKey, ttlMs];
  const [reply] = await scope.calls.one(() => [raw("expire", [command]), asked]);
  return Number(unwrap(reply)) === 1 || ttlMs === undefined;
}
