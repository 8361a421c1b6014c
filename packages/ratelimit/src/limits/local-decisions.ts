import type { ServerClock } from "../timing/server-clock.ts";
import type { Decision, DecisionSource } from "../types.ts";
import type { Ask } from "./ask.ts";
import type { Verdicts } from "./batch.ts";
import type { Handover } from "./handover.ts";
import type { LocalLimits } from "./local-limits.ts";
import type { Part } from "./part.ts";
import { toDecision, type Verdict } from "./verdict.ts";

/** Decides without Redis. */
export interface LocalDecisions {
  /** By this process's part of each limit; undefined when it has none that could hold the call. */
  decide(asks: readonly Ask[]): Decision[] | undefined;
  /** The same for every call, without a look at any limit. */
  decideBlindly(asks: readonly Ask[], isFree: boolean, source: DecisionSource): Decision[];
  /** Takes the call out of this process's parts, ahead of Redis' own decision on it. */
  reserve(asks: readonly Ask[]): Reservation;
}

/**
 * A call that was taken out of this process's parts; or undefined as in `decide`, or its refusal, when they have no
 * room.
 */
export type Reservation =
  | { readonly giveBack: () => void; readonly refusals?: never }
  | { readonly giveBack?: never; readonly refusals: Decision[] | undefined };

export interface LocalDecisionsOptions {
  readonly local: LocalLimits;
  readonly handover: Handover;
  readonly clock: ServerClock;
  /** How long until Redis may be back, at the earliest. */
  readonly waitMs: () => number;
}

/** Blind refusals ask callers to wait at least this long. */
const leastWaitMs = 1_000;

export function createLocalDecisions({ local, handover, clock, waitMs }: LocalDecisionsOptions): LocalDecisions {
  const partsOf = (asks: readonly Ask[]): readonly Part[] | undefined => {
    const parts = asks.map((ask) => handover.part(ask, clock.now()));
    return parts.every((part) => part !== undefined) ? parts : undefined;
  };

  const charge = (parts: readonly Part[]): Verdicts =>
    local.decide(
      parts.map(({ ask }) => ask),
      parts.map(({ seeds }) => seeds),
      // The latest that it may be, as in what Redis is told afterwards: in this process the difference is always the
      // same.
      clock.now().latestUs,
    );

  const toDecisions = (asks: readonly Ask[], parts: readonly Part[], { each, nowUs }: Verdicts): Decision[] =>
    asks.map((ask, index) => {
      const verdict = each[index] as Verdict;
      // What the others may use up is not free for this process.
      const current = ask.capacity - Math.max(0, (parts[index] as Part).ask.capacity - verdict.current);
      return toDecision(ask, { ...verdict, current }, nowUs, "local");
    });

  return {
    decide(asks) {
      const parts = partsOf(asks);
      if (!parts) return undefined;
      const verdicts = charge(parts);
      for (const [index, ask] of asks.entries()) {
        handover.decidedHere(ask, (verdicts.each[index] as Verdict).chargedUs);
      }
      return toDecisions(asks, parts, verdicts);
    },
    decideBlindly(asks, isFree, source) {
      const nowUs = clock.now().earliestUs;
      const atUs = isFree ? 0 : nowUs + Math.max(leastWaitMs, waitMs()) * 1_000;
      const times = { retryAtUs: atUs, moreAtUs: atUs, resetAtUs: atUs };
      return asks.map((ask) => {
        const current = isFree ? 0 : ask.capacity;
        return toDecision(ask, { isFree, current, ...times, chargedUs: 0, bornUs: 0, atUs: nowUs }, nowUs, source);
      });
    },
    reserve(asks) {
      const parts = partsOf(asks);
      if (!parts) return { refusals: undefined };
      const verdicts = charge(parts);
      if (!verdicts.isAllowed) return { refusals: toDecisions(asks, parts, verdicts) };
      return {
        giveBack() {
          const nowUs = clock.now().latestUs;
          for (const [index, { ask }] of parts.entries()) {
            local.take(ask, (verdicts.each[index] as Verdict).chargedUs, nowUs);
          }
        },
      };
    },
  };
}
