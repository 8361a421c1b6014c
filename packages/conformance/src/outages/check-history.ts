import { type Evidence, gatherEvidence } from "./evidence.ts";
import type { History } from "./history.ts";
import { findBrokenCalls, findUnsettled } from "./rules/conduct.ts";
import { finalCounts, findMiscounts } from "./rules/counters.ts";
import { finalLists, findListFaults } from "./rules/lists.ts";
import { findLost } from "./rules/lost.ts";
import { findPhantoms } from "./rules/phantom.ts";
import { findResurrections } from "./rules/resurrection.ts";
import { findUnrefused, findUntold } from "./rules/truth.ts";
import type { Verdict } from "./violation.ts";

/**
 * Tells which promises a history breaks. It objects only to what can't be explained: every time in a history is a bound,
 * and what may have been legal passes.
 *
 * It takes for granted that values are unique within a history, that nothing expires while it runs, that counters and
 * lists are never deleted, and that bytes of a connection that was given up don't reach the server after those of a
 * later one, which holds for the faults of `startFaultProxy` and for a server that is frozen or killed.
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { checkHistory, parseHistory } from "@continuum-cache/conformance/outages";
 *
 * const { violations } = checkHistory(parseHistory(readFileSync("history.jsonl", "utf8")));
 * for (const { kind, message } of violations) console.log(`${kind}: ${message}`);
 * ```
 */
export function checkHistory(history: History): Verdict {
  const evidence = gatherEvidence(history);
  // A server that may forget says nothing about sums.
  const isForgetful = evidence.mayHaveForgotten(0, Number.POSITIVE_INFINITY);
  return {
    violations: [
      ...findResurrections(evidence),
      ...findPhantoms(evidence),
      ...findLost(evidence),
      ...(isForgetful ? [] : [...findMiscounts(evidence), ...findListFaults(evidence)]),
      ...findUntold(evidence),
      ...findUnrefused(evidence),
      ...findUnsettled(evidence),
      ...findBrokenCalls(evidence),
    ],
    undecided: isForgetful ? openQuestions(evidence) : {},
  };
}

const openQuestions = (evidence: Evidence): Verdict["undecided"] => ({
  counter: finalCounts(evidence).length,
  list: finalLists(evidence).length,
});
