import type { History } from "../history.ts";
import type { Violation } from "../violation.ts";

/** What a message does is done once, by whomever it is applied idempotently; and only what was pushed is given out, whole. */
export function checkEffects(history: History): Violation[] {
  const violations: Violation[] = [];
  for (const { id, effects, leases, pushes } of history.messages.values()) {
    if (effects.length > 1) {
      const by = effects.map(({ process }) => process).join(", ");
      violations.push({ kind: "applied-twice", id, detail: `${effects.length} times, by ${by}` });
    }
    const isPushed = pushes.some(({ outcome }) => outcome !== "none" && outcome !== "duplicate");
    if (leases.length > 0 && !isPushed && !mayBeUnwritten(id, history)) {
      const what = pushes.length === 0 ? "nobody has pushed it" : "its push had surely failed";
      violations.push({ kind: "phantom", id, detail: `given out although ${what}` });
    }
    for (const { delivery } of leases) {
      if (!delivery.isAltered) continue;
      violations.push({ kind: "altered", id, process: delivery.process, detail: "the event is not what was pushed" });
    }
    const named = pushes.find(({ outcome }) => outcome === "duplicate");
    const isFirst = !pushes.some(({ outcome, startMs }) => outcome !== "duplicate" && startMs <= (named?.endMs ?? 0));
    if (named && isFirst && !mayBeUnwritten(id, history)) {
      violations.push({ kind: "false-duplicate", id, process: named.process, detail: "nobody had pushed it before" });
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
