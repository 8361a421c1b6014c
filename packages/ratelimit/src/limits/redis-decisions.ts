import { CommandError } from "@continuum-cache/core";
import { type Breaker, createTickBatch, deliverInHalves } from "@continuum-cache/core/kit";
import { refusal } from "../algorithms/limit-script-lua.ts";
import type { ServerClock } from "../timing/server-clock.ts";
import type { Decision } from "../types.ts";
import type { Ask } from "./ask.ts";
import type { Attempts, Outcome } from "./attempts.ts";
import { type Call, isDecided, type Verdicts } from "./batch.ts";
import type { DenyCache } from "./deny-cache.ts";
import type { Claim, Handover } from "./handover.ts";
import type { RedisLimits } from "./redis-limits.ts";
import { toDecision, type Verdict } from "./verdict.ts";

/** Decides by Redis, and keeps what this process must know when Redis leaves. */
export interface RedisDecisions {
  /**
   * Decides on a call, in one script call with all others of this tick.
   * @param settle - Called once, with what came of it.
   * @param onSuspicion - Called once, while it waits, when other processes may have taken Redis for away.
   */
  decide(asks: readonly Ask[], settle: (outcome: Outcome<Decision[]>) => void, onSuspicion?: () => void): void;
  /** Sends what this tick has asked to decide so far: what is sent after it does not overtake it. */
  flush(): void;
  /** How a key stands, as the decision that a call of cost 1 would get. */
  look(ask: Ask): Promise<Outcome<Decision>>;
  /** Tells Redis what it missed. Resolves when it was told, or could not be. */
  settle(): Promise<void>;
}

export interface RedisDecisionsOptions {
  readonly redis: RedisLimits;
  readonly attempts: Attempts;
  readonly breaker: Breaker;
  readonly handover: Handover;
  readonly denyCache: DenyCache;
  readonly clock: ServerClock;
  /** What answers through the transport. */
  readonly source: () => "redis" | "local";
  readonly onFailure: (operation: string, error: Error) => void;
}

/** A call that waits for the decision of Redis. */
interface Waiting {
  readonly asks: readonly Ask[];
  /** The deny cache's moment at which it was asked. */
  readonly asked: number;
  readonly settle: (outcome: Outcome<Decision[]>) => void;
  readonly onSuspicion: (() => void) | undefined;
}

/** One script call decides on so many calls at most, since Redis does nothing else meanwhile. */
const callsPerScript = 100;
/** Redis is told of so many keys at once. */
const keysPerRequest = 50;
const nothing: Claim["accepts"] = [];
const nothings: Call["merges"] = [];
const isNothing = (accepts: Claim["accepts"]): boolean => accepts === nothing;

export function createRedisDecisions(options: RedisDecisionsOptions): RedisDecisions {
  const { redis, attempts, breaker, handover, denyCache, clock, source, onFailure } = options;

  /** Asks Redis about a batch of calls, and tells it on the way what it has missed of their keys. */
  const ask = async (
    batch: readonly Pick<Call, "asks">[],
    deadlineMs: number,
  ): Promise<readonly (Verdicts | CommandError)[]> => {
    const now = clock.now();
    const claims: Claim[] = [];
    const claim = (each: Ask): Claim["accepts"] => {
      const made = handover.claim(each, now, deadlineMs);
      if (made) claims.push(made);
      return made?.accepts ?? nothing;
    };
    const calls = batch.map(({ asks }): Call => {
      const merges = asks.map(claim);
      return { asks, merges: merges.every(isNothing) ? nothings : merges };
    });
    const untold = new Set(claims);
    try {
      const said = await redis.decide(calls, deadlineMs);
      for (let nth = 0; nth < calls.length; nth++) {
        const verdicts = said[nth] as Verdicts | CommandError;
        if (!isDecided(verdicts)) continue;
        const { asks, merges } = calls[nth] as Call;
        for (let index = 0; index < asks.length; index++) {
          const accepts = merges[index] ?? nothing;
          const verdict = verdicts.each[index] as Verdict;
          const made = accepts === nothing ? undefined : claims.find((one) => one.accepts === accepts);
          if (made && untold.delete(made)) handover.told(made, verdict.bornUs);
          handover.decided(asks[index] as Ask, verdict, accepts);
        }
      }
      return said;
    } finally {
      for (const made of untold) handover.untold(made);
    }
  };

  const decisionsOf = ({ asks, asked }: Waiting, verdicts: Verdicts, nowUs: number): Decision[] => {
    if (asks.length === 1 && !verdicts.isAllowed) {
      denyCache.add(asks[0] as Ask, verdicts.each[0] as Verdict, verdicts.nowUs, asked);
    }
    const by = source();
    return asks.map((each, index) => toDecision(each, verdicts.each[index] as Verdict, nowUs, by));
  };

  /** Calls that have no answer yet. */
  let unanswered = 0;

  const decideTogether = async (batch: readonly Waiting[]): Promise<void> => {
    unanswered += batch.length;
    const { result, reason = "away" } = await attempts.run(
      "decide",
      (deadlineMs) => ask(batch, deadlineMs),
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
    decide(asks, settle, onSuspicion) {
      const waiting = { asks, asked: denyCache.moment, settle, onSuspicion };
      // While Redis is away a single call at a time finds out whether it is back; the others do not wait for it.
      if (breaker.state === "closed") tick.add(waiting);
      else void decideTogether([waiting]);
    },
    flush: () => tick.flush(),
    look(each) {
      tick.flush();
      const { key, facts, windowUs, limit, extra } = each;
      return attempts.run("getUsage", async (deadlineMs) => {
        const { text, nowUs } = await redis.read(key, deadlineMs);
        const counter = facts.counter.open(text, nowUs, { windowUs, limit, extra, spanUs: 0 });
        if (!counter) throw new CommandError(refusal(facts.counter));
        const look = { ...counter.look(1), chargedUs: 0, bornUs: counter.bornUs, atUs: nowUs };
        return toDecision(each, look, nowUs, source());
      });
    },
    async settle() {
      const asks = handover.toTell(clock.now().earliestUs);
      for (let from = 0; from < asks.length; from += keysPerRequest) {
        const some = asks.slice(from, from + keysPerRequest).map((each) => ({ asks: [{ ...each, cost: 0 }] }));
        const { result } = await attempts.run("settle", (deadlineMs) => ask(some, deadlineMs));
        if (!result) return;
      }
    },
  };
}
