import { type History, heardIn } from "../history.ts";
import { type MessageId, nameOf, type Place } from "../record.ts";
import type { Violation } from "../violation.ts";

/** What is handed out was published, just so, on that channel; and what surely failed is not handed out. */
export function checkAuthentic({ lives, publishes }: History): Violation[] {
  const violations: Violation[] = [];
  for (const life of lives) {
    const { subscriber, channels } = life.open;
    for (const item of life.items) {
      if (item.kind !== "delivery" || publishes.has(nameOf(item))) continue;
      violations.push({ kind: "phantom", subscriber, message: nameOf(item), detail: "no process has published it" });
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

/**
 * A message comes at most once to a subscriber, and those of one publisher in the order of its calls.
 *
 * A call whose outcome is unknown may take effect late, when its publisher has gone on already: its message comes at
 * most once, at any time. A message that was published within the process while the primary was away may turn out to
 * have reached the primary too: without a history it may then come once more, with one it may not.
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

/**
 * A message has one place, for its publisher and all subscribers, and a place one message. A server that lost the end
 * of its history gives the same numbers again, under other marks.
 */
export function checkPlaces({ publishes, lives, faults }: History): Violation[] {
  const violations: Violation[] = [];
  const placeOf = new Map<string, Place>();
  const ownerOf = new Map<string, string>();
  const losesTails = faults.some(({ forgets }) => forgets === "tail");

  const check = (id: MessageId, channel: string, place: Place, subscriber?: string): void => {
    const message = nameOf(id);
    const told = { channel, message, ...(subscriber !== undefined && { subscriber }) };
    const known = placeOf.get(message);
    if (known && !isSame(known, place)) {
      violations.push({ kind: "wrong-position", ...told, detail: `${write(place)}, and elsewhere ${write(known)}` });
    }
    placeOf.set(message, known ?? place);
    const name = `${channel} ${place.epoch}-${place.seq}${losesTails ? ` ${place.tag}` : ""}`;
    const owner = ownerOf.get(name) ?? message;
    if (owner !== message) {
      violations.push({ kind: "wrong-position", ...told, detail: `${write(place)} is the place of ${owner}` });
    }
    ownerOf.set(name, owner);
  };

  for (const publish of publishes.values()) if (publish.position) check(publish, publish.channel, publish.position);
  for (const { items } of lives) {
    for (const item of items) {
      if (item.kind === "delivery" && item.position) check(item, item.channel, item.position, item.subscriber);
    }
  }
  return violations;
}

const isSame = (one: Place, other: Place): boolean =>
  one.epoch === other.epoch && one.seq === other.seq && (one.tag ?? other.tag) === (other.tag ?? one.tag);

const write = ({ epoch, seq, tag }: Place): string => `${epoch}-${seq}${tag === undefined ? "" : ` (${tag})`}`;

/** A gap has a beginning, then an end that is not in the future, and a whole number of missed messages or none. */
export function checkGapShapes({ lives }: History): Violation[] {
  return lives.flatMap(({ open: { subscriber }, items }) =>
    items.flatMap((gap): Violation[] => {
      if (gap.kind !== "gap") return [];
      const { fromMs, toMs, atMs, missed } = gap;
      const isWell =
        fromMs <= toMs && toMs <= atMs && (missed === undefined || (Number.isSafeInteger(missed) && missed > 0));
      if (isWell) return [];
      return [{ kind: "malformed-gap", subscriber, detail: JSON.stringify(gap) }];
    }),
  );
}
