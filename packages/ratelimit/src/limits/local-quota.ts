import type { Admission } from "../algorithms/admissions.ts";
import type { TimeBounds } from "../timing/server-clock.ts";
import type { LimitRequest } from "./limit-request.ts";
import type { LastKnownState, LimitResult } from "./limit-result.ts";
import type { LocalAdmissions } from "./local-admissions.ts";

/** A limit as one process of several may use it up. */
export interface LocalQuota {
  readonly request: LimitRequest;
  /** What a key that is new here begins with. */
  readonly initialUsage: readonly Admission[];
}

/** What a process knows of a key when it has to decide on its part of the limit. */
export interface KnownUse {
  readonly share: number;
  readonly own: LocalAdmissions;
  /** Redis' last word. */
  readonly known: Readonly<LastKnownState> | undefined;
  /** How much this process itself had in use then, or when Redis left. */
  readonly ownKnown: number;
}

/**
 * The part of a limit that this process may use up by itself, so that the parts of all processes never make more than
 * the limit: its share, and at first no more of it than it has used before and its share of what was left.
 *
 * What was in use when Redis left stays in use for a window. What this process itself has used of it becomes free as
 * its calls grow old, since Redis counts for none during an outage. What was left is counted carefully: others are
 * taken to have used as much again since Redis' last word.
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
 * What this process has accepted, as its part begins with it: all of it where it slides, and else what Redis has not
 * counted.
 */
function ownUse(request: LimitRequest, share: number, own: readonly Admission[], now: TimeBounds): readonly Use[] {
  if (request.facts.slides) return own;
  const news = own.filter(({ bornUs }) => bornUs === 0);
  if (request.algorithm === "fixed-window") return news;
  return [{ atUs: now.latestUs, cost: owedFor(request, share, news, now.earliestUs) }];
}

/** What Redis' last word says is in use now. */
function useNow(request: LimitRequest, known: Readonly<LastKnownState>, { earliestUs }: TimeBounds): number {
  if (request.algorithm === "token-bucket") return owedTokens(request, known, 1, earliestUs);
  return known.resetAtUs > earliestUs ? known.current : 0;
}

/** What of a share of a bucket has not flowed in again since. */
export function owedTokens(
  { windowUs, limit }: LimitRequest,
  known: Readonly<LastKnownState>,
  share: number,
  nowUs: number,
): number {
  return Math.ceil((Math.max(0, known.resetAtUs - nowUs) / windowUs) * limit * share);
}

/** What a share of a bucket still owes of calls that were accepted one after another. */
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

/** Rounded down: the parts of all processes together are not to be more than the whole. */
const floorShare = (whole: number, share: number): number => Math.floor(whole * share + 1e-9);

function scale(request: LimitRequest, share: number): LimitRequest {
  const limit = floorShare(request.limit, share);
  if (request.algorithm !== "token-bucket") return { ...request, limit, capacity: limit };
  const burst = floorShare(request.capacity, share);
  return { ...request, limit, capacity: burst, extra: burst };
}

/**
 * What others have used of a key between two looks of this process at it, as far as it can be told.
 * @param merged - What this process told Redis on the way.
 */
export function othersUse(
  request: LimitRequest,
  before: Readonly<LastKnownState> | undefined,
  now: LimitResult,
  merged: readonly Admission[],
): number {
  const own = now.chargedUs > 0 ? request.cost : 0;
  // A key made anew holds nothing of what was, except what it is told; one that lived on had counted its own already.
  const left = before?.bornUs === now.bornUs ? leftOf(request, before, now) : 0;
  const told = merged.reduce((sum, { bornUs, cost }) => (bornUs === now.bornUs ? sum : sum + cost), 0);
  return Math.max(0, now.current - own - left - told);
}

/** What would have been left without any use since. */
function leftOf(request: LimitRequest, before: Readonly<LastKnownState>, now: LimitResult): number {
  if (request.algorithm === "token-bucket") return owedTokens(request, before, 1, now.atUs);
  return before.resetAtUs > now.atUs ? before.current : 0;
}
