import type { Admission } from "../algorithms/admissions.ts";
import type { TimeBounds } from "../timing/server-clock.ts";
import type { LimitRequest } from "./limit-request.ts";
import type { LastKnownState, LimitResult } from "./limit-result.ts";
import type { LocalAdmissions } from "./local-admissions.ts";

/** The part of a limit that one process may use up by itself. */
export interface LocalQuota {
  readonly request: LimitRequest;
  /** The usage that a key begins with when this process's store does not have it yet. */
  readonly initialUsage: readonly Admission[];
}

/** What a process knows of a key when it has to decide on its part of the limit. */
export interface KnownUse {
  readonly share: number;
  readonly own: LocalAdmissions;
  /** The state in Redis' last answer. */
  readonly known: Readonly<LastKnownState> | undefined;
  /** How much this process itself had in use at that answer, or when the outage began. */
  readonly ownKnown: number;
}

/**
 * Computes the part of a limit that this process may use up by itself. The parts of all processes together never exceed
 * the limit. The part is this process's share of the limit; at first no more of it is free than what this process has
 * used before plus its share of what was left.
 *
 * Invariants: what was in use when the outage began stays in use for a window. What this process itself has used of it
 * becomes free as its calls expire, since Redis admits no calls during an outage. What was left is estimated low: the
 * other processes are assumed to have used as much again since Redis' last answer.
 *
 * @returns undefined when the part is too small for the call.
 */
export function localQuotaOf(
  request: LimitRequest,
  { share, own, known, ownKnown }: KnownUse,
  now: TimeBounds,
): LocalQuota | undefined {
  const scaled = scale(request, share);
  const most = scaled.capacity;
  if (scaled.limit < 1 || most < Math.max(1, request.cost)) return undefined;

  const used = known ? useNow(request, known, now) : 0;
  const others = Math.ceil(used * (1 - share));
  const left = floorShare(Math.max(0, request.capacity - used - others), share);
  const admissions = ownUse(request, share, own.list(now.earliestUs), now);
  const block = { atUs: now.latestUs, cost: most - left - (request.facts.slides ? ownKnown : 0) };
  const initialUsage = [...admissions, block].filter(({ cost }) => cost > 0);
  return { request: scaled, initialUsage: initialUsage.map(({ atUs, cost }) => ({ bornUs: 0, atUs, cost })) };
}

type Use = Pick<Admission, "atUs" | "cost">;

/**
 * What this process has admitted, as initial usage: all of it for a sliding window, otherwise only what Redis has not
 * counted.
 */
function ownUse(request: LimitRequest, share: number, own: readonly Admission[], now: TimeBounds): readonly Use[] {
  if (request.facts.slides) return own;
  const news = own.filter(({ bornUs }) => bornUs === 0);
  if (request.algorithm === "fixed-window") return news;
  return [{ atUs: now.latestUs, cost: owedFor(request, share, news, now.earliestUs) }];
}

/** What is in use now according to Redis' last answer. */
function useNow(request: LimitRequest, known: Readonly<LastKnownState>, { earliestUs }: TimeBounds): number {
  if (request.algorithm === "token-bucket") return owedTokens(request, known, 1, earliestUs);
  return known.resetAtUs > earliestUs ? known.current : 0;
}

/** How many tokens of a share of a bucket have not flowed in again since Redis' last answer. */
export function owedTokens(
  { windowUs, limit }: LimitRequest,
  known: Readonly<LastKnownState>,
  share: number,
  nowUs: number,
): number {
  return Math.ceil((Math.max(0, known.resetAtUs - nowUs) / windowUs) * limit * share);
}

/** How many tokens a share of a bucket still lacks after these calls, which were admitted one after another. */
export function owedFor(
  { windowUs, limit }: LimitRequest,
  share: number,
  admissions: readonly Admission[],
  nowUs: number,
): number {
  const tokenUs = windowUs / (limit * share);
  const fullAtUs = admissions.reduce((fullUs, { atUs, cost }) => Math.max(fullUs, atUs) + cost * tokenUs, 0);
  return Math.ceil(Math.max(0, fullAtUs - nowUs) / tokenUs);
}

/** Rounds down, so that the parts of all processes together never exceed the whole. */
const floorShare = (whole: number, share: number): number => Math.floor(whole * share + 1e-9);

function scale(request: LimitRequest, share: number): LimitRequest {
  const limit = floorShare(request.limit, share);
  if (request.algorithm !== "token-bucket") return { ...request, limit, capacity: limit };
  const burst = floorShare(request.capacity, share);
  return { ...request, limit, capacity: burst, extra: burst };
}

/**
 * Estimates what other processes have used of a key between two answers of Redis to this process.
 * @param merged - The admissions that this process replayed with its request.
 */
export function othersUse(
  request: LimitRequest,
  before: Readonly<LastKnownState> | undefined,
  now: LimitResult,
  merged: readonly Admission[],
): number {
  const own = now.chargedUs > 0 ? request.cost : 0;
  // A key that was created anew holds only what is replayed to it. A key that lived on had counted its own already.
  const left = before?.bornUs === now.bornUs ? leftOf(request, before, now) : 0;
  const replayed = merged.reduce((sum, { bornUs, cost }) => (bornUs === now.bornUs ? sum : sum + cost), 0);
  return Math.max(0, now.current - own - left - replayed);
}

/** What would still be in use if no process had used any more since. */
function leftOf(request: LimitRequest, before: Readonly<LastKnownState>, now: LimitResult): number {
  if (request.algorithm === "token-bucket") return owedTokens(request, before, 1, now.atUs);
  return before.resetAtUs > now.atUs ? before.current : 0;
}
