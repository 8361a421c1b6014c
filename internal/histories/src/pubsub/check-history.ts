import { type History, readHistory } from "./history.ts";
import type { Loss } from "./loss.ts";
import type { PubSubRecord } from "./record.ts";
import { checkAuthentic } from "./rules/authentic.ts";
import { checkConduct, type Patience } from "./rules/conduct.ts";
import { checkGapShapes } from "./rules/gap-shape.ts";
import { checkPlaces } from "./rules/places.ts";
import { checkReplayLoss } from "./rules/replay-loss.ts";
import { checkSequence } from "./rules/sequence.ts";
import { checkVolatileLoss } from "./rules/volatile-loss.ts";
import type { Violation } from "./violation.ts";

/** What a history shows. */
export interface Verdict {
  readonly violations: readonly Violation[];
  readonly counts: Counts;
}

/** How much there was to check. */
export interface Counts {
  readonly acked: number;
  readonly degraded: number;
  /** Calls that failed, their effect known or not. */
  readonly failed: number;
  readonly deliveries: number;
  readonly gaps: number;
  readonly subscriptions: number;
  /** Messages that were missing as told, added up over subscribers; and such that the server lost unread. */
  readonly covered: number;
  readonly forgotten: number;
}

/** Checks what one run has recorded against every promise of pub/sub. The rules say themselves what they promise. */
export function checkHistory(records: readonly PubSubRecord[], patience: Patience): Verdict {
  const history = readHistory(records);
  const losses: readonly Loss[] = [checkVolatileLoss(history, patience), checkReplayLoss(history)];
  return {
    violations: [
      ...losses.flatMap(({ violations }) => violations),
      ...checkSequence(history),
      ...checkAuthentic(history),
      ...checkPlaces(history),
      ...checkGapShapes(history),
      ...checkConduct(history, patience),
    ],
    counts: count(history, losses),
  };
}

function count({ publishes, lives }: History, losses: readonly Loss[]): Counts {
  const items = lives.flatMap((life) => life.items);
  const outcomes = [...publishes.values()].map(({ outcome }) => outcome);
  const sum = (of: (loss: Loss) => number): number => losses.reduce((total, loss) => total + of(loss), 0);
  return {
    acked: outcomes.filter((outcome) => outcome === "acked").length,
    degraded: outcomes.filter((outcome) => outcome === "degraded").length,
    failed: outcomes.filter((outcome) => outcome === "none" || outcome === "unknown").length,
    deliveries: items.filter(({ kind }) => kind === "delivery").length,
    gaps: items.filter(({ kind }) => kind === "gap").length,
    subscriptions: lives.length,
    covered: sum(({ covered }) => covered),
    forgotten: sum(({ forgotten }) => forgotten),
  };
}
