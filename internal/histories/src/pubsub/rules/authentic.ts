import { type History, heardIn } from "../history.ts";
import { nameOf } from "../record.ts";
import type { Violation } from "../violation.ts";

/** What is handed out was published, just so, on that channel; and what surely failed is not handed out. */
export function checkAuthentic({ lives, publishes }: History): Violation[] {
  const violations: Violation[] = [];
  for (const life of lives) {
    const { subscriber, channels } = life.open;
    for (const item of life.items) {
      if (item.kind !== "delivery" || publishes.has(nameOf(item))) continue;
      violations.push({ kind: "phantom", subscriber, message: nameOf(item), detail: "nobody has published it" });
    }
    for (const { delivery, publish } of heardIn(life, publishes)) {
      const told = { subscriber, channel: delivery.channel, message: nameOf(delivery) };
      if (publish.outcome === "none") {
        violations.push({ kind: "phantom", ...told, detail: "its publisher was told that it took no effect" });
      }
      if (delivery.channel !== publish.channel || !channels.includes(delivery.channel)) {
        violations.push({ kind: "wrong-channel", ...told, detail: `it was published on ${publish.channel}` });
      }
      if (delivery.isAltered) violations.push({ kind: "altered", ...told, detail: "not what was published" });
    }
  }
  return violations;
}
