import type { Finding } from "../../checking/rules.ts";
import type { History, LeaseLife } from "../history.ts";
import type { Violation } from "../violation.ts";
import { isCalm } from "./starvation.ts";

/**
 * What a killed process had not finished is given to another within a lease (the last extension may have been right
 * before) and half a lease more, as long as the primary is there. The slack is for a busy machine, and its stalls
 * come on top.
 */
export function checkRedelivery({ messages, faults, calls, stalls, terms }: History): Finding<Violation> {
  const { leaseMs, slackMs } = terms;
  const violations: Violation[] = [];
  /** From the kill to the next delivery, wherever nothing else went wrong meanwhile. */
  const tookMs: number[] = [];
  const endMs = Math.max(0, ...faults.map((fault) => fault.endMs), ...calls.map((call) => call.endMs));
  const kills = new Map(faults.flatMap((fault) => (fault.target === "kill" ? [[fault.process, fault] as const] : [])));
  for (const { id, leases, effects } of messages.values()) {
    for (const lease of leases) {
      const { process, atMs } = lease.delivery;
      const kill = kills.get(process);
      // What had been applied before, by any process, is done at once, and no record says so.
      const isApplied = effects.some((effect) => effect.process === process || (kill && effect.atMs <= kill.startMs));
      if (!kill || mayBeOver(lease) || isApplied) continue;
      const others = leases.filter(({ delivery }) => delivery !== lease.delivery && delivery.atMs >= atMs);
      // Another process had been given it before the kill.
      if (others.some(({ delivery }) => delivery.atMs <= kill.startMs)) continue;
      const next = others.find(({ delivery }) => delivery.process !== process);
      const untilMs = next?.delivery.atMs ?? endMs;
      const boundMs = 1.5 * leaseMs + slackMs + stalls.betweenMs(kill.startMs - leaseMs, untilMs);
      if (!isCalm(faults, kill.startMs - leaseMs - slackMs, Math.min(untilMs, kill.startMs + boundMs), kill)) continue;
      const waitedMs = untilMs - kill.startMs;
      if (next) tookMs.push(waitedMs);
      if (waitedMs <= boundMs) continue;
      const when = next ? `${waitedMs} ms after the kill` : "never";
      violations.push({ kind: "late-redelivery", id, process, detail: `${when}, bound ${boundMs}` });
    }
  }
  return { violations, times: { redelivered: tookMs } };
}

/** An end of it was asked for, or was about to be. */
const mayBeOver = ({ settles, hasFailed }: LeaseLife): boolean =>
  hasFailed || settles.some(({ what }) => what !== "extend");
