import { type History, heardIn } from "../history.ts";
import { nameOf } from "../record.ts";
import type { Violation } from "../violation.ts";

/**
 * A message comes at most once to a subscriber, and those of one publisher in the order of its calls.
 *
 * A call whose outcome is unknown may take effect late, when its publisher has gone on already: its message comes at most
 * once, at any time. A message that was published within the process while the primary was away may turn out to have
 * reached the primary too: without a history it may then come once more, with one it may not.
 */
export function checkSequence({ lives, publishes }: History): Violation[] {
  const violations: Violation[] = [];
  for (const life of lives) {
    const { subscriber, mode } = life.open;
    const seen = new Set<string>();
    const last = new Map<string, number>();
    for (const { delivery, publish } of heardIn(life, publishes)) {
      const { channel, publisher, number } = delivery;
      const message = nameOf(delivery);
      const isCopy = mode === "volatile" && delivery.degraded === true && publish.outcome !== "acked";
      const name = isCopy ? `copy of ${message}` : message;
      const told = { subscriber, channel, message };
      if (seen.has(name)) violations.push({ kind: "duplicated", ...told, detail: "it came before" });
      else if (!delivery.degraded) {
        const from = `${publisher} ${channel}`;
        const latest = last.get(from) ?? -1;
        if (number < latest && publish.outcome === "acked") {
          violations.push({ kind: "reordered", ...told, detail: `after ${publisher}/${latest}` });
        }
        last.set(from, Math.max(latest, number));
      }
      seen.add(name);
    }
  }
  return violations;
}
