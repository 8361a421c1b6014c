import type { EventRecord } from "../../checking/records.ts";
import type { Finding } from "../../checking/rules.ts";
import type { Stalls } from "../../checking/stalls.ts";
import type { History, LeaseLife, MessageLife } from "../history.ts";
import type { DeliveryRecord, SettleRecord } from "../record.ts";
import type { Violation } from "../violation.ts";

/**
 * A lease is one process's alone. Who has it next is told by the counters: each loss of a lease makes `crashes` one
 * more, each failure `attempt`. So an ack never resolves that was begun after the next one had been given out,
 * nothing is given out after an ack that has resolved, and no process gets what another has.
 *
 * A server that forgets gives leases back that were over, requests that are repeated make messages twice, and so may
 * a push that was tried again or repaired: there it can't be told, and is counted apart.
 */
export function checkFencing({ messages, faults, events, stalls }: History): Finding<Violation> {
  const violations: Violation[] = [];
  /** Acks of leases that had been lost, all refused. */
  let refused = 0;
  /** Messages that came twice as new, with something to excuse it: their leases cannot be told apart. */
  let branched = 0;
  const isExact = !faults.some(({ forgetsFromMs, isRepeating }) => forgetsFromMs !== undefined || isRepeating);
  for (const message of messages.values()) {
    const acks = message.leases.flatMap((lease) => endOf(lease).map((settle) => ({ lease, settle })));
    refused += acks.filter(({ settle }) => settle.outcome === "lost").length;
    const twin = firstTwin(message);
    if (!isExact || isDoubtful(message, events, stalls)) {
      if (twin) branched++;
      continue;
    }
    if (twin) {
      violations.push({ kind: "delivered-twice", id: message.id, process: twin.process, detail: story(message) });
      continue;
    }
    for (const { lease, settle } of acks) {
      if (settle.outcome !== "done") continue;
      for (const later of message.leases.filter((other) => isAfter(other, lease))) {
        const isLate = later.delivery.atMs < settle.startMs;
        if (!isLate && settle.what !== "ack") continue;
        const kind = later.delivery.atMs > settle.endMs ? "delivered-after-ack" : "late-ack";
        violations.push({ kind, id: message.id, ...about(settle, later.delivery) });
      }
    }
  }
  return { violations, counts: { refused, branched } };
}

const endOf = ({ settles }: LeaseLife): readonly SettleRecord[] => settles.filter(({ what }) => what !== "extend");

const about = (settle: SettleRecord, { process, atMs }: DeliveryRecord) => ({
  process: settle.process,
  detail: `${settle.what} from ${settle.startMs} to ${settle.endMs}; given to ${process} at ${atMs}`,
});

/** Each end of a lease makes one of the counters one more. */
const ageOf = ({ attempt, crashes }: DeliveryRecord): number => attempt + crashes;
const isAfter = (later: LeaseLife, earlier: LeaseLife): boolean => ageOf(later.delivery) > ageOf(earlier.delivery);

/**
 * The second delivery under counters of the same age, those not counted that were given back: they come again as they
 * were, within the same millisecond even.
 */
function firstTwin({ leases }: MessageLife): DeliveryRecord | undefined {
  const seen = new Set<number>();
  for (const { delivery, settles } of leases) {
    if (settles.some(({ what }) => what === "release")) continue;
    const age = ageOf(delivery);
    if (seen.has(age)) return delivery;
    seen.add(age);
  }
  return undefined;
}

/** All leases and what became of them, for who reads it. */
const story = ({ leases }: MessageLife): string =>
  leases
    .map(({ delivery: { process, attempt, crashes, atMs }, settles }) => {
      const ends = settles.map(({ what, outcome, endMs }) => `${what} ${outcome} at ${endMs}`).join(", ");
      return `${process} at ${atMs} (attempt ${attempt}, ${crashes} crashes; ${ends})`;
    })
    .join("; ");

/** A repair is told when all of it is done: what it pushed may have been given out before. */
const repairMs = 3_000;

/** Whether it may be in the queue twice: pushed twice, after an unknown outcome, or as a repair. */
function isDoubtful({ pushes, leases }: MessageLife, events: readonly EventRecord[], stalls: Stalls): boolean {
  const isSure =
    pushes.filter(({ outcome }) => outcome === "stored").length === 1 &&
    pushes.every(({ outcome }) => outcome === "stored" || outcome === "duplicate");
  if (!isSure) return true;
  const owner = pushes.find(({ outcome }) => outcome === "stored")?.process;
  return events.some(
    ({ name, process, atMs }) =>
      name === "repaired" &&
      process === owner &&
      leases.some(({ delivery }) => delivery.atMs >= atMs - repairMs - stalls.betweenMs(delivery.atMs, atMs)),
  );
}
