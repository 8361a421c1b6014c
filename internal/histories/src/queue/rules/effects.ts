import { diedWithServer } from "../../checking/forgotten.ts";
import type { Finding } from "../../checking/rules.ts";
import type { History, MessageLife } from "../history.ts";
import type { PushRecord } from "../record.ts";
import type { Violation } from "../violation.ts";

/** What a message does is done once where its handler is idempotent; and only what was pushed is given out, whole. */
export function checkEffects(history: History): Violation[] {
  const violations: Violation[] = [];
  for (const { id, effects, leases, pushes } of history.messages.values()) {
    if (effects.length > 1) {
      const by = effects.map(({ process }) => process).join(", ");
      violations.push({ kind: "applied-twice", id, detail: `${effects.length} times, by ${by}` });
    }
    const isPushed = pushes.some(({ outcome }) => outcome !== "none" && outcome !== "duplicate");
    if (leases.length > 0 && !isPushed && !mayBeUnwritten(id, history)) {
      const what = pushes.length === 0 ? "no process has pushed it" : "its push had surely failed";
      violations.push({ kind: "phantom", id, detail: `given out although ${what}` });
    }
    for (const { delivery } of leases) {
      if (!delivery.isAltered) continue;
      violations.push({ kind: "altered", id, process: delivery.process, detail: "the event is not what was pushed" });
    }
    const named = pushes.find(({ outcome }) => outcome === "duplicate");
    const isFirst = !pushes.some(({ outcome, startMs }) => outcome !== "duplicate" && startMs <= (named?.endMs ?? 0));
    if (named && isFirst && !mayBeUnwritten(id, history)) {
      violations.push({
        kind: "false-duplicate",
        id,
        process: named.process,
        detail: "no process had pushed it before",
      });
    }
  }
  return violations;
}

/** A call's record is written when it is over: a producer that is killed during it leaves none. */
function mayBeUnwritten(id: string, { killedMs, faults }: History): boolean {
  const [owner = ""] = id.split("/");
  // What has a name of its own is pushed by several.
  return owner === "named" ? faults.some(({ target }) => target === "kill") : killedMs(owner) !== undefined;
}

/** Every push that was acknowledged is applied at least once, unless its handler failed too often. */
export function checkLoss(history: History): Finding<Violation> {
  const violations: Violation[] = [];
  /** Waited in a producer that was killed: lost with it, as the producer had been told. */
  let lostWaiting = 0;
  /** Redis had accepted them and forgot them, and their producer was killed before it could push them again. */
  let lostTogether = 0;
  for (const message of history.messages.values()) {
    const acked = message.pushes.filter(({ outcome }) => outcome === "stored" || outcome === "pending");
    if (acked.length === 0 || message.effects.length > 0 || message.deaths.length > 0) continue;
    if (acked.every((push) => push.outcome === "pending" && isKilled(history, push))) lostWaiting++;
    else if (
      acked.every((push) => diedWithServer(push, history.killedMs(push.process), history.faults, history.stalls))
    )
      lostTogether++;
    else violations.push({ kind: "lost", id: message.id, detail: story(message) });
  }
  return { violations, counts: { lostWaiting, lostTogether } };
}

const isKilled = ({ killedMs }: History, { process }: PushRecord): boolean => killedMs(process) !== undefined;

const story = ({ pushes, leases }: MessageLife): string =>
  `pushed by ${pushes.map(({ process, outcome, endMs }) => `${process} (${outcome}) at ${endMs}`).join(", ")}; ${
    leases.length === 0
      ? "never given out"
      : leases.map(({ delivery }) => `given to ${delivery.process} at ${delivery.atMs}`).join(", ")
  }`;
