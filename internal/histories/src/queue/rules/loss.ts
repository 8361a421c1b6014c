import type { History, MessageLife } from "../history.ts";
import type { PushRecord } from "../record.ts";
import type { Violation } from "../violation.ts";

/** What was acknowledged and never applied, and why it was. */
export interface Loss {
  readonly violations: readonly Violation[];
  /** Waited in a producer that was killed: lost with it, as it was told. */
  readonly lostWaiting: number;
  /** Redis had accepted them, forgot them, and their producer was killed before it could push them again. */
  readonly lostTogether: number;
}

/** After the server has forgotten, its producer needs so long to notice and to push again. */
const repairMs = 10_000;
/** Clocks of records are rounded, and a fault begins before its record says so. */
const marginMs = 50;

/** Every push that was acknowledged is applied at least once, unless its handler failed too often. */
export function checkLoss(history: History): Loss {
  const violations: Violation[] = [];
  let lostWaiting = 0;
  let lostTogether = 0;
  for (const message of history.messages.values()) {
    const acked = message.pushes.filter(({ outcome }) => outcome === "stored" || outcome === "pending");
    if (acked.length === 0 || message.effects.length > 0 || message.deaths.length > 0) continue;
    if (acked.every((push) => push.outcome === "pending" && isKilled(history, push))) lostWaiting++;
    else if (acked.every((push) => isForgotten(history, push))) lostTogether++;
    else violations.push({ kind: "lost", id: message.id, detail: story(message) });
  }
  return { violations, lostWaiting, lostTogether };
}

const isKilled = ({ killedMs }: History, { process }: PushRecord): boolean => killedMs(process) !== undefined;

/** Nobody was left who remembered it. */
function isForgotten({ killedMs, faults }: History, push: PushRecord): boolean {
  const diedMs = killedMs(push.process);
  if (diedMs === undefined) return false;
  return faults.some(
    ({ forgetsFromMs, endMs }) =>
      forgetsFromMs !== undefined &&
      push.endMs >= forgetsFromMs - marginMs &&
      push.startMs <= endMs &&
      diedMs <= endMs + repairMs,
  );
}

const story = ({ pushes, leases }: MessageLife): string =>
  `pushed by ${pushes.map(({ process, outcome, endMs }) => `${process} (${outcome}) at ${endMs}`).join(", ")}; ${
    leases.length === 0
      ? "never given out"
      : leases.map(({ delivery }) => `given to ${delivery.process} at ${delivery.atMs}`).join(", ")
  }`;
