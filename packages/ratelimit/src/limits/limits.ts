import { type Breaker, CommandError, type Events, isOutage, type TransportError } from "@continuum-cache/core";
import { refusal } from "../algorithms/limit-script.ts";
import type { Ask } from "../ask.ts";
import type { Decision, DecisionSource, Usage } from "../decision.ts";
import type { DenyCache } from "../deny-cache.ts";
import type { OnError } from "../on-error.ts";
import type { RateLimiterEvents } from "../rate-limiter-events.ts";
import type { Receipt } from "../receipt.ts";
import type { ServerClock } from "../server-clock.ts";
import type { Handover } from "./handover.ts";
import type { LocalLimits } from "./local-limits.ts";
import type { RedisLimits } from "./redis-limits.ts";
import { toDecision, type Verdict, type Verdicts } from "./verdict.ts";

/** Decides, by Redis while it answers, and by what was agreed while it does not. */
export interface Limits {
  decide(asks: readonly Ask[]): Promise<Decision[]>;
  usage(ask: Ask): Promise<Usage>;
  refund(ask: Ask, receipt: Receipt): Promise<boolean>;
  /** The keys begin anew here; Redis is told by the caller, in between two of these. */
  forget(keys: readonly string[]): void;
  /** Resolves when Redis has been told what it missed, or could not be. */
  settle(): Promise<void>;
}

export interface LimitsOptions {
  readonly redis: RedisLimits;
  readonly local: LocalLimits;
  readonly handover: Handover;
  readonly denyCache: DenyCache;
  readonly breaker: Breaker;
  readonly clock: ServerClock;
  readonly onError: OnError;
  readonly events: Events<RateLimiterEvents>;
  /** What answers through the transport. */
  readonly source: () => "redis" | "local";
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

/** Redis is told of so many keys at once. */
const keysPerTrip = 50;

export function createLimits(options: LimitsOptions): Limits {
  const { redis, local, handover, denyCache, breaker, clock, onError, events, source, waitUntil } = options;
  let isAway = false;
  let settling: Promise<void> | undefined;

  const leave = (error: TransportError): void => {
    if (isAway) return;
    isAway = true;
    handover.leave(clock.nowUs());
    events.emit("backend", { from: "redis", to: onError, reason: error.message });
  };

  const comeBack = (): void => {
    if (!isAway) return;
    isAway = false;
    handover.comeBack();
    events.emit("backend", { from: onError, to: "redis", reason: "Redis answers again" });
    settling = settle();
    waitUntil?.(settling);
  };

  /** Lets Redis answer if it can; undefined when it did not. What went wrong has been told by then. */
  const attempt = async <Result>(operation: string, work: () => Promise<Result>): Promise<Result | undefined> => {
    const entered = breaker.enter();
    if (!entered) return undefined;
    try {
      const result = await work();
      breaker.succeeded(entered);
      comeBack();
      return result;
    } catch (error) {
      if (isOutage(error)) {
        breaker.failed(error, entered);
        // A single failure is no outage: the others may not have noticed anything.
        if (breaker.state !== "closed") leave(error);
      } else {
        breaker.dismissed(entered);
        events.emit("error", { operation, error: error as Error });
      }
      return undefined;
    }
  };

  /** Asks Redis, and tells it on the way what it has missed of these keys. */
  const ask = async (asks: readonly Ask[]): Promise<Verdicts> => {
    const claimedUs = clock.nowUs();
    const merges = asks.map((each) => handover.claim(each, claimedUs));
    try {
      const verdicts = await redis.decide(asks, merges);
      for (const [index, each] of asks.entries()) {
        const verdict = verdicts.each[index] as Verdict;
        const merged = merges[index] ?? [];
        if (merged.length > 0) handover.told(each.key, claimedUs, verdict.bornUs);
        handover.decided(each, verdict, merged);
        const held = verdict.chargedUs > 0 ? handover.held(each, claimedUs) : undefined;
        if (held) local.decide([held.ask], [held.seeds], claimedUs);
      }
      return verdicts;
    } catch (error) {
      for (const [index, { key }] of asks.entries()) if (merges[index]?.length) handover.untold(key);
      throw error;
    }
  };

  const decideHere = (asks: readonly Ask[]): Decision[] => {
    const nowUs = clock.nowUs();
    const parts = asks.map((each) => handover.part(each, nowUs));
    const scaled = parts.map((part) => part.ask);
    const verdicts = local.decide(
      scaled,
      parts.map(({ seeds }) => seeds),
      nowUs,
    );
    return asks.map((each, index) => {
      const verdict = verdicts.each[index] as Verdict;
      handover.decidedHere(each, verdict.chargedUs);
      const mine = scaled[index] as Ask;
      const most = mine.algorithm === "token-bucket" ? mine.capacity : mine.limit;
      // What the others may use up is not free for this process.
      const current = each.capacity - Math.max(0, most - verdict.current);
      return toDecision(each, { ...verdict, current }, nowUs, "local");
    });
  };

  /** Shortly after an outage: whether this process has used up its share, which is all that it may. */
  const isBeyondShare = (asks: readonly Ask[]): boolean => {
    if (onError !== "local") return false;
    const nowUs = clock.nowUs();
    return asks.some((each) => {
      const held = handover.held(each, nowUs);
      if (!held) return false;
      local.decide([{ ...held.ask, cost: 0 }], [held.seeds], nowUs);
      return local.look(held.ask, nowUs)?.isFree === false;
    });
  };

  const decideBlindly = (asks: readonly Ask[], isFree: boolean, from: DecisionSource): Decision[] => {
    const nowUs = clock.nowUs();
    const atUs = isFree ? 0 : nowUs + Math.max(1_000, breaker.waitMs) * 1_000;
    return asks.map((each) => {
      const current = isFree ? 0 : each.capacity;
      const times = { retryAtUs: atUs, moreAtUs: atUs, resetAtUs: atUs };
      return toDecision(each, { isFree, current, ...times, chargedUs: 0, bornUs: 0, atUs: nowUs }, nowUs, from);
    });
  };

  async function settle(): Promise<void> {
    const asks = handover.toTell(clock.nowUs());
    for (let from = 0; from < asks.length; from += keysPerTrip) {
      const some = asks.slice(from, from + keysPerTrip).map((each) => ({ ...each, cost: 0 }));
      if (!(await attempt("settle", () => ask(some)))) return;
    }
  }

  return {
    async decide(asks) {
      const [first] = asks as readonly [Ask, ...Ask[]];
      const denied = asks.length === 1 && clock.isSet ? denyCache.find(first, clock.nowUs()) : undefined;
      if (denied) {
        const nowUs = clock.nowUs();
        return [toDecision(first, { ...denied, atUs: nowUs }, nowUs, "deny-cache")];
      }
      if (isBeyondShare(asks)) return decideHere(asks);
      const asked = denyCache.moment;
      const verdicts = await attempt("decide", () => ask(asks));
      if (!verdicts) return onError === "local" ? decideHere(asks) : decideBlindly(asks, onError === "open", onError);
      if (asks.length === 1 && !verdicts.isAllowed)
        denyCache.add(first, verdicts.each[0] as Verdict, verdicts.nowUs, asked);
      const nowUs = clock.nowUs();
      return asks.map((each, index) => toDecision(each, verdicts.each[index] as Verdict, nowUs, source()));
    },
    async usage(each) {
      const { key, facts, windowUs, limit, extra } = each;
      const read = await attempt("getUsage", async () => {
        const { text, nowUs } = await redis.read(key);
        const counter = facts.counter.open(text, nowUs, { windowUs, limit, extra });
        if (!counter) throw new CommandError(refusal(facts.counter));
        return toDecision(
          each,
          { ...counter.look(1), chargedUs: 0, bornUs: counter.bornUs, atUs: nowUs },
          nowUs,
          "redis",
        );
      });
      const { current, remaining, resetAt } = read ?? (decideHere([{ ...each, cost: 0 }])[0] as Decision);
      return { current, limit: each.capacity, remaining, resetAt };
    },
    async refund(each, receipt) {
      denyCache.lift(each.key);
      const here = local.has(each.key) ? local.refund(each, receipt, clock.nowUs()) : 0;
      const there = await attempt("refund", () => redis.refund(each, receipt));
      denyCache.lift(each.key);
      const isDone = here + (there ?? 0) > 0;
      if (isDone) handover.refunded(each.key, receipt.atUs, each.cost);
      return isDone;
    },
    forget(keys) {
      for (const key of keys) {
        denyCache.lift(key);
        handover.forget(key);
      }
    },
    async settle() {
      await settling;
      await settle();
    },
  };
}
