import { integer, minInteger, parseInteger } from "../numbers/integer.ts";
import { type Bulk, sameBulk, word } from "../values/bulk.ts";
import { elementAt, type List } from "../values/list.ts";
import { refusal, syntaxError } from "../values/refusals.ts";

/** What LPOS looks for. */
export interface PositionOptions {
  /** The first match that counts, from 1; negative: from the end. */
  readonly rank: number;
  /** How many matches; 0: all of them; absent: one, not in an array. */
  readonly count?: number;
  /** How many elements to look at; 0: all of them. */
  readonly maxLength: number;
}

/** Reads `RANK n`, `COUNT n` and `MAXLEN n`. */
export function positionOptions(words: readonly Bulk[]): PositionOptions {
  let options: PositionOptions = { rank: 1, maxLength: 0 };
  for (let at = 0; at < words.length; at += 2) {
    const value = words[at + 1];
    if (value === undefined) throw syntaxError();
    switch (word(words[at])) {
      case "RANK":
        options = { ...options, rank: rankOf(value) };
        break;
      case "COUNT":
        options = { ...options, count: natural(value, "COUNT") };
        break;
      case "MAXLEN":
        options = { ...options, maxLength: natural(value, "MAXLEN") };
        break;
      default:
        throw syntaxError();
    }
  }
  return options;
}

function rankOf(bulk: Bulk): number {
  const rank = integer(bulk);
  if (rank === 0n) {
    throw refusal(
      "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
        "or use negative to start from the end of the list",
    );
  }
  // Redis 7.0 negates it, which 64 bits can't, and takes it for the first from the end.
  return rank === minInteger ? -1 : Number(rank);
}

function natural(bulk: Bulk, name: string): number {
  const value = parseInteger(bulk);
  if (value === undefined || value < 0n) throw refusal(`ERR ${name} can't be negative`);
  return Number(value);
}

/** The indexes of the elements that equal one, in the order in which they are met. */
export function positionsOf(list: List, element: Bulk, { rank, count = 1, maxLength }: PositionOptions): number[] {
  const found: number[] = [];
  const looks = Math.min(list.size, maxLength || list.size);
  let skip = Math.abs(rank) - 1;
  for (let look = 0; look < looks; look++) {
    const at = rank > 0 ? look : list.size - 1 - look;
    if (!sameBulk(elementAt(list, at) as Bulk, element) || skip-- > 0) continue;
    if (found.push(at) === count) break;
  }
  return found;
}
