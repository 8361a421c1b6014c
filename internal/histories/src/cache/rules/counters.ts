import type { Evidence } from "../evidence.ts";
import type { Call } from "../history.ts";
import type { Violation } from "../violation.ts";

/**
 * At the end a counter is the sum of its increments: each that was acknowledged counts once. One whose fate was unknown
 * (it was rejected, or the backend changed while it was under way, so it was done again locally) may count once more.
 */
export function findMiscounts(evidence: Evidence): Violation[] {
  if (evidence.isForgetful) return [];
  return finalCounts(evidence).flatMap(({ key, value }) => {
    let least = 0;
    let most = 0;
    const calls: Call[] = [];
    for (const call of evidence.calls) {
      for (const effect of call.effects) {
        if (effect.kind !== "add" || effect.key !== key) continue;
        calls.push(call);
        const acknowledged = call.outcome === "ok" ? effect.by : 0;
        least += acknowledged;
        most += acknowledged + (evidence.footing(call) === "unsure" ? effect.by : 0);
      }
    }
    if (value >= least && value <= most) return [];
    const expected = least === most ? `${least}` : `${least} to ${most}`;
    const detail = `${key} is ${value} at the end; its increments make ${expected}`;
    return [{ kind: "counter", detail, key, calls }];
  });
}

/** The counters that the observer read at the end. */
export function finalCounts({ history }: Evidence): { key: string; value: number }[] {
  return history.finals.flatMap(({ effects }) => effects.filter((effect) => effect.kind === "count"));
}
