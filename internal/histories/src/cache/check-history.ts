import { applyRules } from "../checking/rules.ts";
import { type Evidence, gatherEvidence } from "./evidence.ts";
import type { History } from "./history.ts";
import { finalCounts } from "./rules/counters.ts";
import { finalLists } from "./rules/lists.ts";
import { cacheRules } from "./rules.ts";
import type { Verdict, ViolationKind } from "./violation.ts";

/**
 * Finds which promises a history breaks. It objects only to what cannot be explained: every time in a history is a
 * bound, and what may have been legal passes.
 *
 * Where the machine was so busy that a call could miss its deadline for want of a processor alone (which is measured,
 * not assumed), what depends on time is undecided: it counts as an open question and not as a violation.
 *
 * It takes for granted that values are unique within a history, that nothing expires while it runs, that counters and
 * lists are never deleted, and that bytes of a connection that was given up don't reach the server after those of a
 * later one, which holds for the faults of `startFaultProxy` and for a server that is frozen or killed.
 */
export function checkHistory(history: History): Verdict {
  const evidence = gatherEvidence(history);
  const found = applyRules(cacheRules, evidence).violations;
  const tripMs = slowestTripMs(history);
  const violations = found.filter(({ kind }) => tripMs < (decidedBelowMs[kind] ?? Number.POSITIVE_INFINITY));
  const undecided: Partial<Record<ViolationKind, number>> = evidence.isForgetful ? openQuestions(evidence) : {};
  for (const violation of found) {
    if (!violations.includes(violation)) undecided[violation.kind] = (undecided[violation.kind] ?? 0) + 1;
  }
  return { violations, undecided };
}

/** No client of a history gives its calls less time, in milliseconds. */
const shortestDeadlineMs = 80;

/**
 * What depends on time, and how long a call may have taken for want of a processor at the most for it to be decided.
 * Beyond the deadline calls fail, and with them recoveries; so long beyond it a request that was given up may
 * overtake what came after.
 */
const decidedBelowMs: Readonly<Partial<Record<ViolationKind, number>>> = {
  ...{ untold: shortestDeadlineMs, unsettled: shortestDeadlineMs, deadline: shortestDeadlineMs },
  ...{ rejected: shortestDeadlineMs, counter: shortestDeadlineMs, list: shortestDeadlineMs },
  ...{
    resurrection: shortestDeadlineMs + 100,
    lost: shortestDeadlineMs + 100,
    "replayed-over": shortestDeadlineMs + 100,
  },
};

/**
 * How long a call may have taken for want of a processor alone. It passes through its client twice, and through the
 * runner up to four times: on both sides of a link and of a gateway.
 */
function slowestTripMs({ longestStallMs, clients }: History): number {
  return 4 * longestStallMs + 2 * Math.max(0, ...clients.map((log) => log.longestStallMs));
}

const openQuestions = (evidence: Evidence): Verdict["undecided"] => ({
  counter: finalCounts(evidence).length,
  list: finalLists(evidence).length,
});
