import type { Reply } from "@continuum-cache/core";
import { index } from "../numbers/integer.ts";
import { parseDouble, scoreText } from "../numbers/score.ts";
import { type Bulk, handOut, word } from "../values/bulk.ts";
import { refusal, syntaxError } from "../values/refusals.ts";
import { countBelow, membersBetween, type ScoreOrder } from "../values/score-order.ts";
import type { SortedSet } from "../values/sorted-set.ts";
import { type CommandContext, type CommandRow, type CommandRows, row } from "./command-row.ts";
import { sortedSetAt, takePlaces } from "./sorted-sets.ts";

/** Which members: from one place up to, not including, another. */
type Places = readonly [start: number, end: number];
type Range = (order: ScoreOrder) => Places;

/** One end of a range of scores; behind `(` it does not belong to the range itself. */
interface Bound {
  readonly score: number;
  readonly isExcluded: boolean;
}

function bound(bulk: Bulk): Bound {
  const text = typeof bulk === "string" ? bulk : "x";
  const isExcluded = text.startsWith("(");
  // C's `strtod` skips blanks, and reads nothing as 0.
  const rest = isExcluded ? text.slice(1) : text;
  const score = rest === "" ? 0 : parseDouble(rest.replace(/^[\t-\r ]+(?=.)/s, ""));
  if (score === undefined || Number.isNaN(score)) throw refusal("ERR min or max is not a float");
  return { score, isExcluded };
}

function byScore(min: Bulk, max: Bulk): Range {
  const [low, high] = [bound(min), bound(max)];
  return (order) => [countBelow(order, low.score, low.isExcluded), countBelow(order, high.score, !high.isExcluded)];
}

function byRank(first: Bulk, last: Bulk): Range {
  const [from, to] = [index(first), index(last)];
  return ({ length }) => [from < 0 ? from + length : from, (to < 0 ? to + length : to) + 1];
}

/** The places that there are, from the front: of a range that was counted from the other end if it is reverse. */
function placesOf({ order }: SortedSet, range: Range, isMirrored: boolean): Places {
  const { length } = order;
  const [first, last] = range(order);
  const [start, end] = isMirrored ? [length - last, length - first] : [first, last];
  return [Math.max(0, start), Math.max(0, start, Math.min(end, length))];
}

/**
 * LIMIT offset count. With a negative offset Redis finds no member, with a negative count all.
 */
function pageOf([start, end]: Places, { isReverse, offset, limit }: RangeOptions): Places {
  const rest = offset < 0 ? 0 : Math.max(0, end - start - offset);
  const size = limit < 0 ? rest : Math.min(rest, limit);
  return isReverse ? [end - offset - size, end - offset] : [start + offset, start + offset + size];
}

/** The kind of range that the name of a command means; its options say the rest. */
interface Form {
  readonly by?: "rank" | "score";
  readonly isReverse?: boolean;
}

interface RangeOptions {
  readonly by: "rank" | "score";
  readonly isReverse: boolean;
  readonly withScores: boolean;
  readonly offset: number;
  readonly limit: number;
}

function rangeOptions(form: Form, words: readonly Bulk[]): RangeOptions {
  let [by, isReverse, withScores, offset, limit] = [form.by, form.isReverse, false, 0, -1];
  for (let at = 0; at < words.length; at++) {
    const name = word(words[at]);
    const [first, second] = [words[at + 1], words[at + 2]];
    if (name === "WITHSCORES") withScores = true;
    else if (name === "LIMIT" && first !== undefined && second !== undefined) {
      offset = index(first);
      limit = index(second);
      at += 2;
    } else if (name === "REV" && isReverse === undefined) isReverse = true;
    else if (name === "BYSCORE" && by === undefined) by = "score";
    else throw syntaxError();
  }
  if (limit !== -1 && by !== "score") {
    throw refusal("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  return { by: by ?? "rank", isReverse: isReverse ?? false, withScores, offset, limit };
}

const range = (form: Form): CommandRow =>
  row(-4, (context: CommandContext, [key, from, to, ...words]): Reply => {
    const options = rangeOptions(form, words);
    const { by, isReverse, withScores } = options;
    const [low, high] = isReverse && by === "score" ? [to, from] : [from, to];
    const forward = by === "score" ? byScore(low, high) : byRank(low, high);
    const set = sortedSetAt(context, key);
    if (!set) return [];
    const all = placesOf(set, forward, isReverse && by === "rank");
    // By places a limit of -1 is let pass, and its offset means nothing.
    const [start, end] = by === "rank" ? all : pageOf(all, options);
    const members = membersBetween(set.order, start, end);
    if (isReverse) members.reverse();
    return members.flatMap(({ member, score }) =>
      withScores ? [handOut(member), scoreText(score)] : [handOut(member)],
    );
  });

const removal = (read: (from: Bulk, to: Bulk) => Range): CommandRow =>
  row(4, (context, [key, from, to]) => {
    const asked = read(from, to);
    const set = sortedSetAt(context, key);
    return set ? takePlaces(context, key, ...placesOf(set, asked, false)).length : 0;
  });

export const sortedSetRanges: CommandRows = {
  ZRANGE: range({}),
  ZREVRANGE: range({ by: "rank", isReverse: true }),
  ZRANGEBYSCORE: range({ by: "score", isReverse: false }),
  ZREVRANGEBYSCORE: range({ by: "score", isReverse: true }),
  ZCOUNT: row(4, (context, [key, min, max]) => {
    const asked = byScore(min, max);
    const set = sortedSetAt(context, key);
    const [start, end] = set ? placesOf(set, asked, false) : [0, 0];
    return end - start;
  }),
  ZREMRANGEBYSCORE: removal(byScore),
  ZREMRANGEBYRANK: removal(byRank),
};
