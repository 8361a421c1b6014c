import { createLru } from "@continuum-cache/core/kit";
import type { Admission } from "../algorithms/admissions.ts";
import type { TimeBounds } from "../timing/server-clock.ts";
import type { LimitRequest } from "./limit-request.ts";
import type { LastKnownState, LimitResult } from "./limit-result.ts";
import { createLocalAdmissions, type LocalAdmissions } from "./local-admissions.ts";
import type { LocalLimits } from "./local-limits.ts";
import { type LocalQuota, localQuotaOf, othersUse, owedFor, owedTokens } from "./local-quota.ts";
import type { KeyTraffic, TrafficShare } from "./traffic-share.ts";

/**
 * What is remembered of each key so that a limit goes on where it was: in this process when Redis leaves, and in Redis
 * when it is back, with its data or without.
 */
export interface OutageReconciler {
  /** Redis has decided, and taken in on the way what was merged. */
  recordRedisResult(request: LimitRequest, result: LimitResult, merged: readonly Admission[]): void;
  /** This process has, and charged the call at a time (0 if it did not). */
  recordLocalAdmission(request: LimitRequest, chargedUs: number): void;
  recordRefund(key: string, atUs: number, cost: number): void;
  /** The key begins anew. */
  forget(key: string): void;
  /**
   * Redis is away, and may come back without its data.
   * @param sinceUs - By then it was: what became free later it can't have given to others.
   */
  beginOutage(sinceUs: number): void;
  endOutage(): void;
  /** This process's part of a limit; undefined when it has none that could hold the call. */
  localQuota(request: LimitRequest, now: TimeBounds): LocalQuota | undefined;
  /**
   * Whether Redis is away, or came back a moment ago: other processes may decide by themselves and have yet to tell
   * Redis, so that this one must keep to its part of one of these limits even where Redis decides.
   */
  limitsToLocalQuota(requests: readonly LimitRequest[]): boolean;
  /**
   * What Redis has yet to be told of a key, until `told`; undefined when there is nothing, or another request is
   * telling it.
   * @param withinMs - For how long no other request is given it: its owner may be gone for good.
   */
  claimReplay(request: LimitRequest, now: TimeBounds, withinMs: number): ReplayClaim | undefined;
  confirmReplay(claim: ReplayClaim, bornUs: number): void;
  /** Redis got no word of it, as far as is known. */
  abandonReplay(claim: ReplayClaim): void;
  /** The keys of which Redis has yet to be told something. */
  pendingRequests(nowUs: number): LimitRequest[];
}

/** What one request tells Redis of a key. */
export interface ReplayClaim {
  readonly key: string;
  readonly number: number;
  readonly admissions: readonly Admission[];
}

export interface OutageReconcilerOptions {
  readonly share: TrafficShare;
  readonly local: LocalLimits;
  readonly maxKeys: number;
  /** By then all processes that ask have noticed that Redis is back, and told it what it missed. */
  readonly returnMs: number;
}

interface KeyRecord {
  readonly request: LimitRequest;
  readonly own: LocalAdmissions;
  readonly traffic: KeyTraffic;
  /** What Redis last said. */
  known: LastKnownState | undefined;
  /** How much this process itself had in use then, or when Redis left. */
  ownKnown: number;
  /** The share by which the local store of this key was filled, fixed until that is dropped. */
  share: number | undefined;
  isPending: boolean;
  /** The request that is telling it. */
  claimed: { readonly number: number; readonly untilMs: number } | undefined;
}

const never = Number.NEGATIVE_INFINITY;

/** The longest that processes which ask seldom are waited for after an outage. */
const longestHoldMs = 30_000;

export function createOutageReconciler({ share, local, maxKeys, returnMs }: OutageReconcilerOptions): OutageReconciler {
  let isAway = false;
  let backAtMs = never;
  let claims = 0;
  const records = createLru<KeyRecord>({ maxEntries: maxKeys });

  const recordOf = (request: LimitRequest): KeyRecord => {
    const present = records.get(request.key);
    if (present) return present;
    const own = createLocalAdmissions(request.windowUs * Math.max(1, request.capacity / request.limit));
    const traffic = { own: 0, all: 0 };
    const none = { known: undefined, ownKnown: 0, share: undefined, claimed: undefined };
    const record: KeyRecord = { request, own, traffic, ...none, isPending: isAway };
    records.set(request.key, record);
    return record;
  };

  const isOutage = ({ windowUs }: LimitRequest): boolean => {
    if (isAway || backAtMs === never) return isAway;
    const holdMs = Math.max(returnMs, Math.min(windowUs / 1_000, longestHoldMs));
    return performance.now() < backAtMs + holdMs;
  };

  const shareOf = (record: KeyRecord): number | undefined => {
    record.share ??= share.of(record.traffic);
    return record.share;
  };

  /** What was decided here counts no more by itself: Redis knows all of it, and the others'. */
  const release = (record: KeyRecord): void => {
    record.share = undefined;
    local.delete(record.request.key);
  };

  return {
    recordRedisResult(request, result, merged) {
      const record = recordOf(request);
      const { own, known, traffic } = record;
      // Made anew while Redis was there: it was reset.
      if (known && known.bornUs !== result.bornUs && !record.isPending) own.keepOnly(result.bornUs);
      const cost = result.chargedUs > 0 ? request.cost : 0;
      if (cost > 0) own.add(result.bornUs, result.chargedUs, cost);
      const ownUse = own.total(result.atUs);
      // A sliding window tells who has used how much of it; of the others only what is new can be told apart.
      if (request.facts.slides) share.record(traffic, ownUse, result.current);
      else share.record(traffic, cost, cost + othersUse(request, known, result, merged));
      const { bornUs, current, resetAtUs } = result;
      if (known) {
        known.bornUs = bornUs;
        known.current = current;
        known.resetAtUs = resetAtUs;
      } else record.known = { bornUs, current, resetAtUs };
      record.ownKnown = ownUse;
      if (!isOutage(request) && !record.isPending) release(record);
    },
    recordLocalAdmission(request, chargedUs) {
      if (chargedUs === 0) return;
      const record = recordOf(request);
      record.own.add(0, chargedUs, request.cost);
      record.isPending = true;
    },
    recordRefund: (key, atUs, cost) => records.get(key)?.own.remove(atUs, cost),
    forget(key) {
      records.delete(key);
      local.delete(key);
    },
    endOutage() {
      isAway = false;
      backAtMs = performance.now();
    },
    beginOutage(sinceUs) {
      isAway = true;
      for (const [, record] of records) {
        record.isPending = true;
        record.ownKnown = record.own.counted(sinceUs);
        // Its part is counted anew, from what was used by now: a server that comes and goes must not give a new one
        // each time.
        release(record);
      }
    },
    localQuota(request, now) {
      const record = recordOf(request);
      const own = shareOf(record);
      return own === undefined ? undefined : localQuotaOf(request, { ...record, share: own }, now);
    },
    limitsToLocalQuota: (requests) =>
      requests.some((request) => isOutage(request) && shareOf(recordOf(request)) !== undefined),
    claimReplay(request, { earliestUs }, withinMs) {
      const record = records.peek(request.key);
      if (!record?.isPending) return undefined;
      const nowMs = performance.now();
      if (record.claimed && nowMs < record.claimed.untilMs) return undefined;
      const number = ++claims;
      record.claimed = { number, untilMs: nowMs + withinMs };
      const own = record.own.claim(earliestUs, number);
      if (request.algorithm !== "token-bucket") return { key: request.key, number, admissions: own };
      const part = shareOf(record) ?? 0;
      return {
        key: request.key,
        number,
        admissions: part > 0 ? unpaidTokens(request, part, record.known, own, earliestUs) : [],
      };
    },
    confirmReplay({ key, number }, bornUs) {
      const record = records.get(key);
      record?.own.settle(number, bornUs);
      if (record?.claimed?.number !== number) return;
      record.claimed = undefined;
      record.isPending = record.own.hasNews();
    },
    abandonReplay({ key, number }) {
      const record = records.get(key);
      if (record?.claimed?.number === number) record.claimed = undefined;
    },
    pendingRequests(nowUs) {
      const requests: LimitRequest[] = [];
      for (const [, { isPending, request, own }] of records) {
        if (isPending && (own.total(nowUs) > 0 || request.algorithm === "token-bucket")) requests.push(request);
      }
      return requests;
    },
  };
}

/**
 * Of a bucket, what was accepted here and is not paid for; and this process's share of what Redis knew, should it be
 * lost.
 */
function unpaidTokens(
  request: LimitRequest,
  share: number,
  known: LastKnownState | undefined,
  own: readonly Admission[],
  nowUs: number,
): Admission[] {
  const news = own.filter(({ bornUs }) => bornUs === 0);
  return [
    { bornUs: known?.bornUs ?? 0, atUs: nowUs, cost: known ? owedTokens(request, known, share, nowUs) : 0 },
    { bornUs: 0, atUs: nowUs, cost: owedFor(request, share, news, nowUs) },
  ].filter(({ cost }) => cost > 0);
}
