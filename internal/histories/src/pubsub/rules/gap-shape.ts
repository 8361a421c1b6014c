import type { History } from "../history.ts";
import type { Violation } from "../violation.ts";

/** A gap has a beginning, then an end that is not in the future, and a whole number of missed messages or none. */
export function checkGapShapes({ lives }: History): Violation[] {
  return lives.flatMap(({ open: { subscriber }, items }) =>
    items.flatMap((gap): Violation[] => {
      if (gap.kind !== "gap") return [];
      const { fromMs, toMs, atMs, missed } = gap;
      const isWell =
        fromMs <= toMs && toMs <= atMs && (missed === undefined || (Number.isSafeInteger(missed) && missed > 0));
      if (isWell) return [];
      return [{ kind: "malformed-gap", subscriber, detail: JSON.stringify(gap) }];
    }),
  );
}
