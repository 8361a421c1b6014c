import { createLru, type Lru } from "@continuum-cache/core/kit";
import type { Admission } from "../algorithms/admissions.ts";
import type { TimeBounds } from "../timing/server-clock.ts";
import type { LimitRequest } from "./limit-request.ts";
import type { LastKnownState, LimitResult } from "./limit-result.ts";
import { createLocalAdmissions, type LocalAdmissions } from "./local-admissions.ts";
import type { LocalLimits } from "./local-limits.ts";
import { type LocalQuota, localQuotaOf, othersUse, owedFor, owedTokens } from "./local-quota.ts";
import type { KeyTraffic, TrafficShare } from "./traffic-share.ts";

/**
 * Keeps, for each key, what a limit needs to go on where it was: in this process when an outage begins, and in Redis
 * when the outage is over, whether Redis kept its data or lost it.
 */
export interface OutageReconciler {
  /**
   * Records a decision of Redis.
   * @param merged - The admissions that were replayed with the request.
   */
  recordRedisResult(request: LimitRequest, result: LimitResult, merged: readonly Admission[]): void;
  /** Records a call that this process decided. @param chargedUs - When the call was charged; 0 if it was not. */
  recordLocalAdmission(request: LimitRequest, chargedUs: number): void;
  recordRefund(key: string, atUs: number, cost: number): void;
  /** Drops everything about a key that is reset. */
  forget(key: string): void;
  /**
   * An outage begins. Redis may come back without its data.
   * @param sinceUs - Redis was away by then. It can't have given quota that became free later to other processes.
   */
  beginOutage(sinceUs: number): void;
  endOutage(): void;
  /** This process's part of a limit; undefined when it has no part, or one that is too small for the call. */
  localQuota(request: LimitRequest, now: TimeBounds): LocalQuota | undefined;
  /**
   * Whether one of these limits is under an outage, or was until a moment ago. Other processes may then decide by
   * themselves and have yet to replay that to Redis, so this process must keep to its local quota even where Redis
   * decides.
   */
  limitsToLocalQuota(requests: readonly LimitRequest[]): boolean;
  /**
   * Takes what Redis has yet to be told of a key, until `confirmReplay` or `abandonReplay`. Undefined when there is
   * nothing to replay, or when another request is replaying it.
   * @param withinMs - How long no other request may claim it. The request that claimed it may disappear.
   */
  claimReplay(request: LimitRequest, now: TimeBounds, withinMs: number): ReplayClaim | undefined;
  /** Redis has counted what was claimed, in the key that was created at `bornUs`. */
  confirmReplay(claim: ReplayClaim, bornUs: number): void;
  /** As far as this process knows, Redis has not counted what was claimed. */
  abandonReplay(claim: ReplayClaim): void;
  /** The keys that have something to replay. */
  pendingRequests(nowUs: number): LimitRequest[];
}

/** What one request replays to Redis for a key. */
export interface ReplayClaim {
  readonly key: string;
  readonly number: number;
  readonly admissions: readonly Admission[];
}

export interface OutageReconcilerOptions {
  readonly share: TrafficShare;
  readonly local: LocalLimits;
  readonly maxKeys: number;
  /** By then every active process has noticed that Redis is back, and has replayed what Redis missed. */
  readonly returnMs: number;
}

/** What is known of one key. */
interface KeyRecord {
  readonly request: LimitRequest;
  readonly own: LocalAdmissions;
  readonly traffic: KeyTraffic;
  /** The state in Redis' last answer. */
  known: LastKnownState | undefined;
  /** How much this process itself had in use at that answer, or when the outage began. */
  ownKnown: number;
  /** The share by which the local store of this key was filled; fixed until that store is dropped. */
  share: number | undefined;
  /** Whether Redis has yet to be told something. */
  isPending: boolean;
  /** The request that is replaying it. */
  claimed: { readonly number: number; readonly untilMs: number } | undefined;
}

/** Where this process is in an outage. `returning`: Redis is back, and other processes may not have noticed yet. */
type Phase =
  | { readonly kind: "connected" }
  | { readonly kind: "away" }
  | { readonly kind: "returning"; readonly sinceMs: number };

/** After an outage, processes that rarely send requests are waited for at most this long. */
const longestHoldMs = 30_000;

/** Whether a limit of this window is under an outage, or was until a moment ago. */
function isUnderOutage(phase: Phase, windowUs: number, returnMs: number): boolean {
  if (phase.kind !== "returning") return phase.kind === "away";
  const holdMs = Math.max(returnMs, Math.min(windowUs / 1_000, longestHoldMs));
  return performance.now() < phase.sinceMs + holdMs;
}

export function createOutageReconciler(options: OutageReconcilerOptions): OutageReconciler {
  const { share, local, maxKeys, returnMs } = options;
  let phase: Phase = { kind: "connected" };
  const records = createLru<KeyRecord>({ maxEntries: maxKeys });

  const recordOf = (request: LimitRequest): KeyRecord => {
    const present = records.get(request.key);
    if (present) return present;
    const record = newRecord(request, phase.kind === "away");
    records.set(request.key, record);
    return record;
  };

  const isOutage = ({ windowUs }: LimitRequest): boolean => isUnderOutage(phase, windowUs, returnMs);

  const shareOf = (record: KeyRecord): number | undefined => {
    record.share ??= share.of(record.traffic);
    return record.share;
  };

  /** Drops the local count of a key: Redis knows all of it, and what the other processes used. */
  const dropLocalState = (record: KeyRecord): void => {
    record.share = undefined;
    local.delete(record.request.key);
  };

  return {
    ...createReplays(records, shareOf),
    recordRedisResult(request, result, merged) {
      const record = recordOf(request);
      const ownUse = countOwn(record, request, result);
      recordTraffic(share, record, request, result, merged, ownUse);
      remember(record, result, ownUse);
      if (!isOutage(request) && !record.isPending) dropLocalState(record);
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
      phase = { kind: "returning", sinceMs: performance.now() };
    },
    beginOutage(sinceUs) {
      phase = { kind: "away" };
      for (const [, record] of records) {
        record.isPending = true;
        record.ownKnown = record.own.counted(sinceUs);
        // The local quota is computed anew from what is used by now: a server that comes and goes must not grant a new
        // quota each time.
        dropLocalState(record);
      }
    },
    localQuota(request, now) {
      const record = recordOf(request);
      const own = shareOf(record);
      return own === undefined ? undefined : localQuotaOf(request, { ...record, share: own }, now);
    },
    limitsToLocalQuota: (requests) =>
      requests.some((request) => isOutage(request) && shareOf(recordOf(request)) !== undefined),
  };
}

type Replays = Pick<OutageReconciler, "claimReplay" | "confirmReplay" | "abandonReplay" | "pendingRequests">;

/** Hands out what Redis has yet to be told, to one request at a time. */
function createReplays(records: Lru<KeyRecord>, shareOf: (record: KeyRecord) => number | undefined): Replays {
  let claims = 0;
  return {
    claimReplay(request, { earliestUs }, withinMs) {
      const record = records.peek(request.key);
      if (!record?.isPending) return undefined;
      const nowMs = performance.now();
      if (record.claimed && nowMs < record.claimed.untilMs) return undefined;
      const number = ++claims;
      record.claimed = { number, untilMs: nowMs + withinMs };
      const own = record.own.claim(earliestUs, number);
      if (request.algorithm !== "token-bucket") return { key: request.key, number, admissions: own };
      const admissions = unpaidTokens(request, shareOf(record) ?? 0, record.known, own, earliestUs);
      return { key: request.key, number, admissions };
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

const newRecord = (request: LimitRequest, isPending: boolean): KeyRecord => ({
  request,
  own: createLocalAdmissions(request.windowUs * Math.max(1, request.capacity / request.limit)),
  traffic: { own: 0, all: 0 },
  known: undefined,
  ownKnown: 0,
  share: undefined,
  isPending,
  claimed: undefined,
});

/** Adds a call that Redis has charged to this process's own calls. @returns how much of the window these use. */
function countOwn({ own, known, isPending }: KeyRecord, request: LimitRequest, result: LimitResult): number {
  // The key was created anew while Redis was there, so it was reset.
  if (known && known.bornUs !== result.bornUs && !isPending) own.keepOnly(result.bornUs);
  if (result.chargedUs > 0 && request.cost > 0) own.add(result.bornUs, result.chargedUs, request.cost);
  return own.total(result.atUs);
}

function recordTraffic(
  share: TrafficShare,
  { traffic, known }: KeyRecord,
  request: LimitRequest,
  result: LimitResult,
  merged: readonly Admission[],
  ownUse: number,
): void {
  // A sliding window shows how much of it each process has used. For other algorithms only the use since the last
  // answer can be told apart.
  if (request.facts.slides) {
    share.record(traffic, ownUse, result.current);
    return;
  }
  const cost = result.chargedUs > 0 ? request.cost : 0;
  share.record(traffic, cost, cost + othersUse(request, known, result, merged));
}

function remember(record: KeyRecord, { bornUs, current, resetAtUs }: LimitResult, ownUse: number): void {
  const { known } = record;
  if (known) {
    known.bornUs = bornUs;
    known.current = current;
    known.resetAtUs = resetAtUs;
  } else record.known = { bornUs, current, resetAtUs };
  record.ownKnown = ownUse;
}

/**
 * What to replay for a token bucket: the tokens that this process took and that have not flowed in again, and its
 * share of what Redis knew, in case Redis has lost that.
 */
function unpaidTokens(
  request: LimitRequest,
  share: number,
  known: LastKnownState | undefined,
  own: readonly Admission[],
  nowUs: number,
): Admission[] {
  if (share <= 0) return [];
  const news = own.filter(({ bornUs }) => bornUs === 0);
  return [
    { bornUs: known?.bornUs ?? 0, atUs: nowUs, cost: known ? owedTokens(request, known, share, nowUs) : 0 },
    { bornUs: 0, atUs: nowUs, cost: owedFor(request, share, news, nowUs) },
  ].filter(({ cost }) => cost > 0);
}
