import type { Finding } from "../../checking/rules.ts";
import { createFollowers } from "../followers.ts";
import { type Heard, type History, heardIn, type Life } from "../history.ts";
import { type GapRecord, nameOf, type PublishRecord } from "../record.ts";
import type { Violation } from "../violation.ts";

/**
 * Without a history: every message that the primary has acknowledged, and whose call began after the subscriber
 * listened, is handed out, or its call overlaps the times of a gap that was told before any message from behind it.
 *
 * A message is due once one is heard whose call began after its own had ended: Redis hands messages to all in one
 * order. So nothing is asked of what was on its way when a subscriber ended. Only for a subscriber that has closed
 * its subscription itself everything was due that is older than silence may last. If it does so during a fault, or
 * before what the fault did could be told, only what is older than the fault was due.
 *
 * A gap with a count is exact. Those whose consumer was slow begin when the first that was let go had arrived, which
 * is after its publishing: they count for as many messages as they say, whatever their times.
 */
export function checkVolatileLoss({ lives, publishes, faults, stalls, terms }: History): Finding<Violation> {
  const violations: Violation[] = [];
  /** Messages that are missing as told. */
  let covered = 0;
  for (const life of lives) {
    if (life.open.mode !== "volatile") continue;
    const heard = heardIn(life, publishes).filter(({ delivery }) => !delivery.degraded);
    // What stands still hears nothing, for as long as that lasts.
    const endMs = life.close?.atMs ?? 0;
    const livenessMs = terms.livenessMs + stalls.betweenMs(endMs - 2 * terms.livenessMs, endMs);
    const missing = missingIn(life, heard, publishes, silentSinceMs(life, faults, livenessMs));
    const outcome = explain(life, heard, missing);
    violations.push(...outcome.violations, ...checkCount(life, heard, publishes));
    covered += outcome.covered;
  }
  return { violations, counts: { covered } };
}

/** What had been acknowledged before this was due, even if nothing came from behind it. */
function silentSinceMs({ close }: Life, faults: History["faults"], livenessMs: number): number {
  if (!close || close.isKilled) return Number.NEGATIVE_INFINITY;
  let sinceMs = close.atMs - livenessMs;
  for (const { startMs, endMs } of faults.toSorted((one, other) => other.startMs - one.startMs)) {
    if (startMs < close.atMs && endMs > sinceMs) sinceMs = Math.min(sinceMs, startMs - livenessMs);
  }
  return sinceMs;
}

function missingIn(
  { open }: Life,
  heard: readonly Heard[],
  publishes: History["publishes"],
  sinceMs: number,
): PublishRecord[] {
  const delivered = new Set(heard.map(({ publish }) => publish));
  const horizonMs = Math.max(sinceMs, ...heard.map(({ publish }) => publish.startMs));
  return [...publishes.values()].filter(
    (publish) =>
      publish.outcome === "acked" &&
      !delivered.has(publish) &&
      open.channels.includes(publish.channel) &&
      publish.startMs > open.atMs &&
      publish.endMs < horizonMs,
  );
}

function explain(
  life: Life,
  heard: readonly Heard[],
  missing: readonly PublishRecord[],
): { violations: Violation[]; covered: number } {
  const { subscriber } = life.open;
  const firstBehind = createFollowers(heard);
  const violations: Violation[] = [];
  const gaps = gapsOf(life);
  let letGo = gaps.reduce((sum, { gap }) => sum + (gap.missed ?? 0), 0);
  let covered = 0;
  for (const publish of missing) {
    const told = { subscriber, channel: publish.channel, message: nameOf(publish) };
    const reaching = gaps.filter(
      ({ gap }) => gap.missed === undefined && gap.fromMs <= publish.endMs && gap.toMs >= publish.startMs,
    );
    const behind = firstBehind(publish.endMs);
    if (reaching.some(({ index }) => !behind || index < behind.index)) covered++;
    else if (letGo > 0) {
      letGo--;
      covered++;
    } else if (behind && reaching.length > 0) {
      violations.push({ kind: "late-gap", ...told, detail: `told after ${nameOf(behind.publish)}` });
    } else {
      violations.push({ kind: "lost", ...told, detail: `published ${publish.startMs}-${publish.endMs}, and no gap` });
    }
  }
  return { violations, covered };
}

/** No gap counts more than there was to miss since the call that opened the subscription, which may take long. */
function checkCount(life: Life, heard: readonly Heard[], publishes: History["publishes"]): Violation[] {
  const { subscriber, channels, askedMs } = life.open;
  const counted = gapsOf(life).reduce((sum, { gap }) => sum + (gap.missed ?? 0), 0);
  if (counted === 0) return [];
  const delivered = new Set(heard.map(({ publish }) => publish));
  let most = 0;
  for (const publish of publishes.values()) {
    const mayBeMissed = publish.outcome !== "none" && publish.endMs >= askedMs && channels.includes(publish.channel);
    if (mayBeMissed && !delivered.has(publish)) most++;
  }
  if (counted <= most) return [];
  return [{ kind: "wrong-count", subscriber, detail: `${counted} counted, at most ${most} not handed out` }];
}

const gapsOf = ({ items }: Life): { gap: GapRecord; index: number }[] =>
  items.flatMap((item, index) => (item.kind === "gap" ? [{ gap: item, index }] : []));
