import { type History, heardIn } from "../history.ts";
import { nameOf } from "../record.ts";
import type { Violation } from "../violation.ts";

/** By when things have to happen, in milliseconds. */
export interface Patience {
  /** The timeout that publishers give. */
  readonly publishMs: number;
  /** After the last fault a subscriber hears again within this. */
  readonly livenessMs: number;
}

/** What a busy machine may add. */
const slackMs = 1_000;

/** Every call ends in time, nothing fails where nobody is told, and after the last fault everybody hears again. */
export function checkConduct({ publishes, lives, faults, troubles }: History, patience: Patience): Violation[] {
  const violations: Violation[] = troubles.map(({ process, what }) => ({
    kind: "trouble",
    subscriber: process,
    detail: what,
  }));
  for (const publish of publishes.values()) {
    const tookMs = publish.endMs - publish.startMs;
    if (tookMs <= patience.publishMs + slackMs) continue;
    violations.push({
      kind: "overdue",
      channel: publish.channel,
      message: nameOf(publish),
      detail: `${tookMs} ms of ${patience.publishMs}`,
    });
  }
  const healedMs = Math.max(...faults.map(({ endMs }) => endMs));
  for (const life of lives) {
    const { subscriber, atMs } = life.open;
    if (faults.length === 0 || (life.close && life.close.atMs <= healedMs + patience.livenessMs)) continue;
    const first = heardIn(life, publishes).find(
      ({ publish, delivery }) => publish.startMs >= healedMs && !delivery.degraded,
    );
    const waitedMs = (first?.delivery.atMs ?? Number.POSITIVE_INFINITY) - Math.max(healedMs, atMs);
    if (waitedMs <= patience.livenessMs) continue;
    violations.push({ kind: "deaf", subscriber, detail: first ? `for ${waitedMs} ms` : "to the end" });
  }
  return violations;
}
