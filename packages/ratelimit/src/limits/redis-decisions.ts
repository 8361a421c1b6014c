import { CommandError } from "@continuum-cache/core";
import { type Breaker, createTickBatch, deliverInHalves } from "@continuum-cache/core/kit";
import { refusal } from "../algorithms/limit-script-lua.ts";
import type { ServerClock } from "../timing/server-clock.ts";
import type { Decision } from "../types.ts";
import type { Attempts, Outcome } from "./attempts.ts";
import { type Call, type CallResult, isDecided } from "./batch.ts";
import type { DenyCache } from "./deny-cache.ts";
import type { LimitRequest } from "./limit-request.ts";
import { type LimitResult, toDecision } from "./limit-result.ts";
import type { OutageReconciler, ReplayClaim } from "./outage-reconciler.ts";
import type { RedisLimits } from "./redis-limits.ts";

/** Decides by Redis, and records what this process must know when an outage begins. */
export interface RedisDecisions {
  /**
   * Decides on a call, in one script call with all others of this tick.
   * @param settle - Called once, with the outcome.
   * @param onSuspicion - Called once, while the call waits, when other processes may have concluded that Redis is away.
   */
  decide(
    requests: readonly LimitRequest[],
    settle: (outcome: Outcome<Decision[]>) => void,
    onSuspicion?: () => void,
  ): void;
  /** Sends the calls that this tick has collected so far, so that no later request overtakes them. */
  flush(): void;
  /** Reads a key, and returns the decision that a call of cost 1 would get. */
  look(request: LimitRequest): Promise<Outcome<Decision>>;
  /** Replays to Redis what it missed. Resolves when that is done, or has failed. */
  settle(): Promise<void>;
}

export interface RedisDecisionsOptions {
  readonly redis: RedisLimits;
  readonly attempts: Attempts;
  readonly breaker: Breaker;
  readonly reconciler: OutageReconciler;
  readonly denyCache: DenyCache;
  readonly clock: ServerClock;
  /** Whether Redis or a memory answers through the transport. */
  readonly source: () => "redis" | "local";
  readonly onFailure: (operation: string, error: Error) => void;
}

/** A call that waits for the decision of Redis. */
interface Waiting {
  readonly requests: readonly LimitRequest[];
  /** The deny cache's moment when the call was made. */
  readonly asked: number;
  readonly settle: (outcome: Outcome<Decision[]>) => void;
  readonly onSuspicion: (() => void) | undefined;
}

/** One script call decides on at most this many calls, since it blocks Redis. */
const callsPerScript = 100;
/** One request replays at most this many keys. */
const keysPerRequest = 50;
const nothing: ReplayClaim["admissions"] = [];
const nothings: Call["merges"] = [];
const isNothing = (admissions: ReplayClaim["admissions"]): boolean => admissions === nothing;

export function createRedisDecisions(options: RedisDecisionsOptions): RedisDecisions {
  const { redis, attempts, breaker, reconciler, denyCache, clock, source, onFailure } = options;

  const sendBatch = createReplayingSender(options);

  const decisionsOf = ({ requests, asked }: Waiting, callResult: CallResult, nowUs: number): Decision[] => {
    if (requests.length === 1 && !callResult.isAllowed) {
      denyCache.add(requests[0] as LimitRequest, callResult.results[0] as LimitResult, callResult.nowUs, asked);
    }
    const by = source();
    return requests.map((request, index) => toDecision(request, callResult.results[index] as LimitResult, nowUs, by));
  };

  /** Calls that have no answer yet. */
  let unanswered = 0;

  const decideTogether = async (batch: readonly Waiting[]): Promise<void> => {
    unanswered += batch.length;
    const { result, reason = "away" } = await attempts.run(
      "decide",
      (deadlineMs) => sendBatch(batch, deadlineMs),
      () => {
        for (const { onSuspicion } of batch) onSuspicion?.();
      },
    );
    unanswered -= batch.length;
    const nowUs = clock.now().earliestUs;
    deliverInHalves(redis, unanswered, batch.length, (from, to) => {
      for (let nth = from; nth < to; nth++) {
        const waiting = batch[nth] as Waiting;
        const said = result?.[nth];
        if (isDecided(said)) waiting.settle({ result: decisionsOf(waiting, said, nowUs) });
        else {
          if (said) onFailure("decide", said);
          waiting.settle({ reason });
        }
      }
    });
  };
  const tick = createTickBatch<Waiting>({ items: callsPerScript }, (batch) => void decideTogether(batch));

  return {
    decide(requests, settle, onSuspicion) {
      const waiting = { requests, asked: denyCache.moment, settle, onSuspicion };
      // While Redis is away, one call at a time is the probe; the other calls do not wait for it.
      if (breaker.state === "closed") tick.add(waiting);
      else void decideTogether([waiting]);
    },
    flush: () => tick.flush(),
    look(request) {
      tick.flush();
      const { key, facts, windowUs, limit, extra } = request;
      return attempts.run("getUsage", async (deadlineMs) => {
        const { text, nowUs } = await redis.read(key, deadlineMs);
        const counter = facts.counter.open(text, nowUs, { windowUs, limit, extra, spanUs: 0 });
        if (!counter) throw new CommandError(refusal(facts.counter));
        const look = { ...counter.look(1), chargedUs: 0, bornUs: counter.bornUs, atUs: nowUs };
        return toDecision(request, look, nowUs, source());
      });
    },
    async settle() {
      const requests = reconciler.pendingRequests(clock.now().earliestUs);
      for (let from = 0; from < requests.length; from += keysPerRequest) {
        const some = requests
          .slice(from, from + keysPerRequest)
          .map((request) => ({ requests: [{ ...request, cost: 0 }] }));
        const { result } = await attempts.run("settle", (deadlineMs) => sendBatch(some, deadlineMs));
        if (!result) return;
      }
    },
  };
}

type SendBatch = (
  batch: readonly Pick<Call, "requests">[],
  deadlineMs: number,
) => Promise<readonly (CallResult | CommandError)[]>;

/** Sends a batch of calls, along with what Redis has missed of their keys. */
function createReplayingSender({ redis, reconciler, clock }: RedisDecisionsOptions): SendBatch {
  return async (
    batch: readonly Pick<Call, "requests">[],
    deadlineMs: number,
  ): Promise<readonly (CallResult | CommandError)[]> => {
    const now = clock.now();
    const claims: ReplayClaim[] = [];
    const claim = (request: LimitRequest): ReplayClaim["admissions"] => {
      const made = reconciler.claimReplay(request, now, deadlineMs);
      if (made) claims.push(made);
      return made?.admissions ?? nothing;
    };
    const calls = batch.map(({ requests }): Call => {
      const merges = requests.map(claim);
      return { requests, merges: merges.every(isNothing) ? nothings : merges };
    });
    const unconfirmed = new Set(claims);
    try {
      const said = await redis.decide(calls, deadlineMs);
      for (let nth = 0; nth < calls.length; nth++) {
        const callResult = said[nth] as CallResult | CommandError;
        if (!isDecided(callResult)) continue;
        const { requests, merges } = calls[nth] as Call;
        for (let index = 0; index < requests.length; index++) {
          const admissions = merges[index] ?? nothing;
          const result = callResult.results[index] as LimitResult;
          const made = admissions === nothing ? undefined : claims.find((one) => one.admissions === admissions);
          if (made && unconfirmed.delete(made)) reconciler.confirmReplay(made, result.bornUs);
          reconciler.recordRedisResult(requests[index] as LimitRequest, result, admissions);
        }
      }
      return said;
    } finally {
      for (const made of unconfirmed) reconciler.abandonReplay(made);
    }
  };
}
