import type { Reply } from "@continuum-cache/core";
import { TextMap } from "@continuum-cache/core/kit";
import { never } from "../keyspace/keyspace.ts";
import { positiveCount } from "../numbers/integer.ts";
import { score, scoreText } from "../numbers/score.ts";
import { type Bulk, handOut, idOf, word } from "../values/bulk.ts";
import { refusal, syntaxError } from "../values/refusals.ts";
import type { ScoredMember } from "../values/score-order.ts";
import {
  createSortedSet,
  memberBytes,
  rankOf,
  removeMember,
  type SortedSet,
  scoreOf,
  setScore,
  takeMembers,
} from "../values/sorted-set.ts";
import { expectType } from "../values/stored-value.ts";
import { type CommandContext, type CommandRow, type CommandRows, row } from "./command-row.ts";

export const sortedSetAt = ({ keyspace }: CommandContext, key: Bulk): SortedSet | undefined =>
  expectType("zset", keyspace.find(key)?.value);

const textOrNull = (value: number | undefined): string | null => (value === undefined ? null : scoreText(value));

/** The options of ZADD. */
interface AddOptions {
  readonly only?: "new" | "known";
  readonly towards?: "greater" | "less";
  readonly countsChanges: boolean;
  readonly isDifference: boolean;
}

/** The words before the first score. @throws CommandError when they contradict each other. */
export function addOptions(words: readonly Bulk[]): { readonly options: AddOptions; readonly rest: readonly Bulk[] } {
  const given = new Set<string>();
  const known = ["NX", "XX", "GT", "LT", "CH", "INCR"];
  let at = 0;
  for (; at < words.length && known.includes(word(words[at])); at++) given.add(word(words[at]));
  const rest = words.slice(at);
  if (rest.length === 0 || rest.length % 2 === 1) throw syntaxError();
  const [isNew, isKnown, greater, less] = ["NX", "XX", "GT", "LT"].map((name) => given.has(name));
  if (isNew && isKnown) throw refusal("ERR XX and NX options at the same time are not compatible");
  if ((greater && (isNew || less)) || (less && isNew)) {
    throw refusal("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  const isDifference = given.has("INCR");
  if (isDifference && rest.length > 2) throw refusal("ERR INCR option supports a single increment-element pair");
  const options: AddOptions = {
    ...(isNew && { only: "new" }),
    ...(isKnown && { only: "known" }),
    ...(greater && { towards: "greater" }),
    ...(less && { towards: "less" }),
    countsChanges: given.has("CH"),
    isDifference,
  };
  return { options, rest };
}

/** The score that a member gets; `undefined` when it is left as it is. */
function newScore(
  { only, towards, isDifference }: AddOptions,
  old: number | undefined,
  given: number,
): number | undefined {
  if (old === undefined) return only === "known" ? undefined : given;
  if (only === "new") return undefined;
  const next = isDifference ? old + given : given;
  if (Number.isNaN(next)) throw refusal("ERR resulting score is not a number (NaN)");
  const isRefused = (towards === "greater" && next <= old) || (towards === "less" && next >= old);
  return isRefused ? undefined : next;
}

function add(context: CommandContext, key: Bulk, options: AddOptions, words: readonly Bulk[]): Reply {
  const { keyspace } = context;
  const asked: ScoredMember[] = [];
  for (let at = 0; at < words.length; at += 2) {
    asked.push({ score: score(words[at] as Bulk), member: words[at + 1] as Bulk });
  }
  const entry = keyspace.find(key);
  const set = expectType("zset", entry?.value) ?? createSortedSet();
  if (!entry && options.only === "known") return options.isDifference ? null : 0;
  keyspace.assertFits(key, set.bytes + (options.only === "known" ? 0 : bytesOfNew(set, asked)));
  let [added, updated] = [0, 0];
  let reached: number | undefined;
  for (const { member, score: given } of asked) {
    const old = scoreOf(set, member);
    reached = newScore(options, old, given);
    if (reached === undefined || reached === old) continue;
    setScore(set, member, reached);
    if (old === undefined) added++;
    else updated++;
  }
  if (added + updated > 0) keyspace.put(key, set, entry?.expiresAtMs ?? never);
  if (options.isDifference) return textOrNull(reached);
  return options.countsChanges ? added + updated : added;
}

function bytesOfNew(set: SortedSet, asked: readonly ScoredMember[]): number {
  const added = new TextMap<Bulk>();
  for (const { member } of asked) added.set(idOf(member), member);
  let bytes = 0;
  for (const [id, member] of added) if (!set.members.has(id)) bytes += memberBytes(member);
  return bytes;
}

/** Does what takes members away, and takes the key away with the last of them. */
function taking<Taken>({ keyspace }: CommandContext, key: Bulk, take: (set: SortedSet) => Taken): Taken | undefined {
  const entry = keyspace.find(key);
  const set = expectType("zset", entry?.value);
  if (!entry || !set) return undefined;
  const { bytes } = set;
  const taken = take(set);
  if (set.members.size === 0) keyspace.remove(key);
  else if (set.bytes !== bytes) keyspace.put(key, set, entry.expiresAtMs);
  return taken;
}

/** Takes the members from one place up to, not including, another. */
export function takePlaces(context: CommandContext, key: Bulk, start: number, end: number): readonly ScoredMember[] {
  return taking(context, key, (set) => takeMembers(set, start, end)) ?? [];
}

const pop = (end: "least" | "greatest"): CommandRow =>
  row(-2, (context, [key, count, ...rest]) => {
    if (rest.length > 0) throw syntaxError();
    const most = count === undefined ? 1 : positiveCount(count);
    const length = sortedSetAt(context, key)?.members.size ?? 0;
    const start = end === "least" ? 0 : Math.max(0, length - most);
    const popped = [...takePlaces(context, key, start, Math.min(length, start + most))];
    if (end === "greatest") popped.reverse();
    return popped.flatMap(({ member, score }) => [handOut(member), scoreText(score)]);
  });

export const sortedSets: CommandRows = {
  ZADD: row(-4, (context, [key, ...words]) => {
    const { options, rest } = addOptions(words);
    return add(context, key, options, rest);
  }),
  ZINCRBY: row(4, (context, [key, ...words]) => {
    // Redis takes a difference for an option of ZADD if it is named like one.
    const { options, rest } = addOptions(words);
    return add(context, key, { ...options, isDifference: true }, rest);
  }),
  ZREM: row(-3, (context, [key, ...members]) => {
    const remove = (set: SortedSet): number => members.filter((member) => removeMember(set, member)).length;
    return taking(context, key, remove) ?? 0;
  }),
  ZCARD: row(2, (context, [key]) => sortedSetAt(context, key)?.members.size ?? 0),
  ZSCORE: row(3, (context, [key, member]) => {
    const set = sortedSetAt(context, key);
    return textOrNull(set && scoreOf(set, member));
  }),
  ZMSCORE: row(-3, (context, [key, ...members]) => {
    const set = sortedSetAt(context, key);
    return members.map((member) => textOrNull(set && scoreOf(set, member)));
  }),
  ZRANK: row(3, (context, [key, member]) => {
    const set = sortedSetAt(context, key);
    return (set && rankOf(set, member)) ?? null;
  }),
  ZREVRANK: row(3, (context, [key, member]) => {
    const set = sortedSetAt(context, key);
    const rank = set && rankOf(set, member);
    return set && rank !== undefined ? set.members.size - 1 - rank : null;
  }),
  ZPOPMIN: pop("least"),
  ZPOPMAX: pop("greatest"),
};
