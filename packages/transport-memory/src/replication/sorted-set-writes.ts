import { addOptions } from "../commands/sorted-sets.ts";
import { score as scoreArgument, scoreText } from "../numbers/score.ts";
import type { Bulk } from "../values/bulk.ts";
import { membersBetween } from "../values/score-order.ts";
import { type SortedSet, scoreOf } from "../values/sorted-set.ts";
import type { AppliedWrite, CanonicalWrite } from "./canonical-write.ts";

type ChangeOf = Extract<CanonicalWrite, { kind: "change" }>;

/**
 * The effects of ZADD. With GT or LT the command is kept as it is, since the primary's scores decide. With other
 * conditions the members that have the requested score now are kept.
 */
export function scoresAdded({ args: [key = "", ...words], reply, at }: AppliedWrite): CanonicalWrite[] {
  const { options, rest } = addOptions(words);
  if (options.isDifference) {
    return reply === null ? [] : [{ kind: "change", key, name: "ZINCRBY", args: rest }];
  }
  if (options.towards) {
    const conditions = [...(options.only ? ["XX"] : []), options.towards === "greater" ? "GT" : "LT"];
    return [{ kind: "change", key, name: "ZADD", args: [...conditions, ...rest] }];
  }
  const set = at(key)?.value;
  const isMet = (score: Bulk, member: Bulk): boolean =>
    !options.only || (set?.type === "zset" && scoreOf(set, member) === scoreArgument(score));
  const pairs = rest.flatMap((score, place) => {
    const member = rest[place + 1];
    return place % 2 === 0 && member !== undefined && isMet(score, member) ? [score, member] : [];
  });
  return pairs.length === 0 ? [] : [{ kind: "change", key, name: "ZADD", args: pairs }];
}

/** The effects of ZPOPMIN and ZPOPMAX: the members that were removed, wherever they rank at the primary. */
export function membersPopped({ args: [key = ""], reply }: AppliedWrite): CanonicalWrite[] {
  const popped = (Array.isArray(reply) ? reply : []) as readonly Bulk[];
  const members = popped.filter((_, place) => place % 2 === 0);
  return members.length === 0 ? [] : [{ kind: "change", key, name: "ZREM", args: members }];
}

/** The changes that make a whole sorted set. */
export function wholeSortedSet(key: Bulk, { order }: SortedSet): ChangeOf[] {
  const args = membersBetween(order, 0, order.length).flatMap(({ score, member }): Bulk[] => [
    scoreText(score),
    member,
  ]);
  return [{ kind: "change", key, name: "ZADD", args }];
}
