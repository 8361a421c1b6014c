import { TextMap } from "@continuum-cache/core/kit";
import { type Bulk, byteLength, bytesOverheadBytes, idOf } from "./bulk.ts";
import {
  countBefore,
  createScoreOrder,
  insertScored,
  type ScoredMember,
  type ScoreOrder,
  takeBetween,
} from "./score-order.ts";

/** What a sorted set counts on top of its members. */
const sortedSetOverheadBytes = 256;
/** What each member counts on top of its name: its score, its places in the map and in the order. */
const memberOverheadBytes = 144;

/**
 * A stored sorted set: its members by their ids, and in their order. Plain data, since there may be a million of
 * them: only the functions below change it.
 */
export interface SortedSet {
  readonly type: "zset";
  readonly members: TextMap<ScoredMember>;
  readonly order: ScoreOrder;
  /** What it counts towards the limit, without key and entry. */
  bytes: number;
}

export function createSortedSet(): SortedSet {
  return { type: "zset", members: new TextMap(), order: createScoreOrder(), bytes: sortedSetOverheadBytes };
}

export function scoreOf({ members }: SortedSet, member: Bulk): number | undefined {
  return members.get(idOf(member))?.score;
}

/** What a member counts towards the limit. Of bytes the map's key is a text of its own. */
export function memberBytes(member: Bulk): number {
  const length = byteLength(member);
  return memberOverheadBytes + (typeof member === "string" ? length : 2 * bytesOverheadBytes + 3 * length);
}

/** Gives a member a score, whether or not it is there. Of a zero Redis keeps no sign. */
export function setScore(set: SortedSet, member: Bulk, score: number): void {
  const id = idOf(member);
  removeById(set, id);
  const scored: ScoredMember = { member, score: score === 0 ? 0 : score };
  set.members.set(id, scored);
  insertScored(set.order, scored);
  set.bytes += memberBytes(member);
}

export function removeMember(set: SortedSet, member: Bulk): boolean {
  return removeById(set, idOf(member));
}

function removeById(set: SortedSet, id: string): boolean {
  const scored = set.members.get(id);
  if (!scored) return false;
  const place = countBefore(set.order, scored);
  takeMembers(set, place, place + 1);
  return true;
}

/** Takes the members from one place up to, not including, another. */
export function takeMembers(set: SortedSet, start: number, end: number): ScoredMember[] {
  const taken = takeBetween(set.order, start, end);
  for (const { member } of taken) {
    set.members.delete(idOf(member));
    set.bytes -= memberBytes(member);
  }
  return taken;
}

/** How many members come before this one. */
export function rankOf({ members, order }: SortedSet, member: Bulk): number | undefined {
  const scored = members.get(idOf(member));
  return scored && countBefore(order, scored);
}
