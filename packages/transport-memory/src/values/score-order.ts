import { type Bulk, compareBulks } from "./bulk.ts";

export interface ScoredMember {
  readonly member: Bulk;
  readonly score: number;
}

/**
 * Members by rising score, and by their bytes where scores are equal, in blocks, so that none has to make a million
 * others move. No block is empty. Plain data: only the functions below touch it.
 */
export interface ScoreOrder {
  readonly blocks: ScoredMember[][];
  length: number;
}

/** A longer block is cut in two; two neighbours that together have half of this are made one. */
const longestBlock = 512;

export function createScoreOrder(): ScoreOrder {
  return { blocks: [], length: 0 };
}

/** A member's place in its order, which is in this block. */
interface Place {
  readonly block: number;
  readonly within: number;
}

/** @param scored - It must not be there yet. */
export function insertScored(order: ScoreOrder, scored: ScoredMember): void {
  const { blocks } = order;
  const place = firstOf(order, isAtOrBehind(scored));
  order.length++;
  const block = blocks[place.block];
  if (block) block.splice(place.within, 0, scored);
  else if (blocks.length > 0) blocks.at(-1)?.push(scored);
  else blocks.push([scored]);
  const index = Math.min(place.block, blocks.length - 1);
  if (lengthOf(blocks, index) > longestBlock) {
    blocks.splice(index + 1, 0, blocks[index]?.splice(longestBlock >> 1) ?? []);
  }
}

/** How many members come before this one. */
export function countBefore(order: ScoreOrder, scored: ScoredMember): number {
  return countUntil(order, firstOf(order, isAtOrBehind(scored)));
}

/** How many members have a score below this one; with `orEqual` also those that have it. */
export function countBelow(order: ScoreOrder, score: number, orEqual: boolean): number {
  return countUntil(
    order,
    firstOf(order, (own) => (orEqual ? own.score > score : own.score >= score)),
  );
}

/** The members from one place up to, not including, another. */
export function membersBetween(order: ScoreOrder, start: number, end: number): ScoredMember[] {
  const members: ScoredMember[] = [];
  let before = 0;
  for (const block of order.blocks) {
    if (before >= end) break;
    if (before + block.length > start) {
      for (const scored of block.slice(Math.max(0, start - before), end - before)) members.push(scored);
    }
    before += block.length;
  }
  return members;
}

/** Takes the members from one place up to, not including, another. */
export function takeBetween(order: ScoreOrder, start: number, end: number): ScoredMember[] {
  const { blocks } = order;
  const taken: ScoredMember[] = [];
  let [first, within] = [0, start];
  while (first < blocks.length && within >= lengthOf(blocks, first)) within -= lengthOf(blocks, first++);
  let next = first;
  for (let left = end - start; left > 0 && next < blocks.length; next++) {
    const part = blocks[next]?.splice(within, left) ?? [];
    for (const scored of part) taken.push(scored);
    left -= part.length;
    within = 0;
  }
  order.length -= taken.length;
  const kept = blocks.slice(first, next).filter(({ length }) => length > 0);
  if (kept.length < next - first) blocks.splice(first, next - first, ...kept);
  joinWithNext(blocks, first);
  joinWithNext(blocks, first - 1);
  return taken;
}

function joinWithNext(blocks: ScoredMember[][], index: number): void {
  const [block, next] = [blocks[index], blocks[index + 1]];
  if (!block || !next || block.length + next.length > longestBlock / 2) return;
  blocks.splice(index, 2, [...block, ...next]);
}

const lengthOf = (blocks: ScoreOrder["blocks"], index: number): number => blocks[index]?.length ?? 0;

const isAtOrBehind =
  ({ score, member }: ScoredMember) =>
  (own: ScoredMember): boolean =>
    own.score > score || (own.score === score && compareBulks(own.member, member) >= 0);

function countUntil({ blocks }: ScoreOrder, { block, within }: Place): number {
  let count = within;
  for (let index = 0; index < block; index++) count += lengthOf(blocks, index);
  return count;
}

/**
 * The first member of which the test holds, as it does of all behind it; the place behind the last where there is
 * none.
 */
function firstOf({ blocks }: ScoreOrder, test: (scored: ScoredMember) => boolean): Place {
  const block = firstIndex(blocks, (each) => test(each.at(-1) as ScoredMember));
  return { block, within: firstIndex(blocks[block] ?? [], test) };
}

function firstIndex<Item>(items: readonly Item[], test: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(items[middle] as Item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
