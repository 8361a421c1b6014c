import type { FaultRecord } from "../../checking/records.ts";
import type { Finding } from "../../checking/rules.ts";
import type { History } from "../history.ts";
import type { Violation } from "../violation.ts";

/**
 * The default weights are 8:4:2:1, and what comes back goes first: of so many deliveries at least one is of a
 * priority.
 */
const oneIn: Readonly<Record<string, number>> = { high: 4, normal: 8, low: 16 };

/** Whether nothing went wrong in a time. @param aside - A fault that does not count. */
export function isCalm(faults: readonly FaultRecord[], fromMs: number, toMs: number, aside?: FaultRecord): boolean {
  return !faults.some((fault) => fault !== aside && fault.startMs <= toMs && fault.endMs >= fromMs);
}

interface Wait {
  readonly id: string;
  readonly priority: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * No priority starves: while messages of all priorities wait, of the first deliveries at least one in `oneIn` is of
 * each. So a message waits for those before it in its own priority, and for `oneIn` times as many others. Whatever
 * went wrong meanwhile, or within a lease and a half before it, excuses it.
 */
export function checkStarvation({ messages, faults, stalls, terms }: History): Finding<Violation> {
  const { leaseMs, slackMs, aheadMessages } = terms;
  const waits: Wait[] = [];
  for (const { id, pushes, leases } of messages.values()) {
    const [push] = pushes;
    const [first] = leases;
    if (!push || !first || pushes.length > 1 || push.outcome !== "stored" || push.delayMs !== undefined) continue;
    const { atMs } = first.delivery;
    // One that a worker had before its producer knew that it was stored has not waited.
    waits.push({ id, priority: push.priority, fromMs: Math.min(push.endMs, atMs), toMs: atMs });
  }
  const byPriority = new Map<string, Wait[]>();
  for (const wait of waits) byPriority.set(wait.priority, [...(byPriority.get(wait.priority) ?? []), wait]);
  const deliveries = waits.map(({ toMs }) => toMs).sort((one, other) => one - other);
  const own = new Map([...byPriority].map(([name, of]) => [name, sortedEnds(of)]));

  const violations: Violation[] = [];
  let judged = 0;
  for (const { id, priority, fromMs, toMs } of waits) {
    if (!isCalm(faults, fromMs - 1.5 * leaseMs - slackMs, toMs)) continue;
    const ends = own.get(priority) ?? [];
    const before = within(ends, fromMs, toMs);
    const all = within(deliveries, fromMs, toMs);
    // A process that stands still keeps what lies in its buffer for longer.
    const stretch = 1 + stalls.betweenMs(fromMs - leaseMs, toMs) / (1.5 * leaseMs);
    const bound = (before + 1) * (oneIn[priority] ?? 1) + Math.ceil(aheadMessages * stretch);
    judged++;
    if (all <= bound) continue;
    violations.push({
      kind: "starved",
      id,
      detail: `${all} others came before it, ${before} of its own ${priority}; bound ${bound}`,
    });
  }
  return { violations, counts: { judgedWaits: judged } };
}

const sortedEnds = (waits: readonly Wait[]): number[] =>
  waits.map(({ toMs }) => toMs).sort((one, other) => one - other);

/** How many of sorted times lie from one to another. */
const within = (sorted: readonly number[], fromMs: number, toMs: number): number =>
  firstAbove(sorted, toMs) - firstAbove(sorted, fromMs);

function firstAbove(sorted: readonly number[], limit: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] as number) > limit) to = middle;
    else from = middle + 1;
  }
  return from;
}
