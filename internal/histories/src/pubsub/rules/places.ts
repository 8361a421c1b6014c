import type { History } from "../history.ts";
import { type MessageId, nameOf, type Place } from "../record.ts";
import type { Violation } from "../violation.ts";

/**
 * A message has one place, for its publisher and all subscribers, and a place one message. A server that lost the end of
 * its history gives the same numbers again, under other marks.
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
