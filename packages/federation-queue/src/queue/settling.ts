import { type Command, isCommandError, type Reply, TransportError } from "@continuum-cache/core";
import {
  type Claim,
  createCancellableSleep,
  createClaim,
  createExpiringSet,
  hasLastingTimers,
  isUnanswered,
  tickEnd,
  toError,
} from "@continuum-cache/core/kit";
import { accepted, type Link } from "../shared/link.ts";
import type { DoneEntries } from "./done-entries.ts";
import { infoRows } from "./info-rows.ts";
import type { Held } from "./leases.ts";
import { isLater } from "./message-fields.ts";
import { type Move, moveCommand } from "./move-script.ts";
import { group } from "./queue-keys.ts";
import type { Repair } from "./repair.ts";

/** Ends leases at the server. What is asked for while a round trip is under way travels with the next one. */
export interface Settling {
  /**
   * Acks a message, or moves it elsewhere.
   *
   * @param settled - Called once: with whether the lease was held, or with the error when that is not known.
   */
  settle(held: Held, move: Move | undefined, settled: Settled): void;
  /** No more attempts: what is under way is waited for. */
  close(): Promise<void>;
}

/** A callback, since a promise for each message would be dear. */
export type Settled = (outcome: boolean | Error) => void;

interface Asked {
  readonly held: Held;
  readonly move: Move | undefined;
  readonly endsMs: number;
  readonly settled: Settled;
  isRepeated: boolean;
  isDone: boolean;
}

/**
 * What becomes of a settlement: undefined where an earlier attempt may have done it, or another worker may have the
 * message.
 */
type Outcome = boolean | undefined | Error;

const maxPerTrip = 400;
const maxTripBytes = 256 << 10;
const retryMs = 100;
/** A settlement that has not ended so long after its deadline has vanished. */
const graceMs = 100;

export function createSettling(link: Link, done: DoneEntries, repair: Repair): Settling {
  const pauses = createCancellableSleep();
  const atTickEnd = tickEnd();
  /** Whether what a call has begun may vanish with it: then none settles for another. */
  const mayVanish = !hasLastingTimers();
  /** What the next round trip takes along. */
  const waiting: Asked[] = [];
  let sending: Promise<void> | undefined;
  /** Those under way that may vanish. */
  const apart = createExpiringSet<Claim>();

  const answer = (asked: Asked, outcome: Outcome): void => {
    asked.isDone = true;
    asked.settled(outcome ?? unknownError(link.name, asked.held.lease.id));
  };
  const answerAll = (part: readonly Asked[], outcomes: readonly Outcome[]): void => {
    const acked = part.flatMap(({ held, move }, at) => (!move && outcomes[at] === true ? [held] : []));
    if (acked.length > 0) {
      const ids = acked.map(({ fields }) => fields.i);
      done.add(acked);
      repair.forget(ids);
    }
    for (const [at, one] of part.entries()) answer(one, outcomes[at]);
  };

  /** Those that go the same way are one command. Each is answered as soon as its outcome is known. */
  const attempt = async (batch: readonly Asked[], timeoutMs: number): Promise<void> => {
    const parts = [
      ...groupBy(batch, ({ held, move }) => (move ? `${move.to} ${held.source.key}` : held.source)).values(),
    ];
    const replies = await link.send(parts.map(commandOf), { timeoutMs, together: mayVanish });
    const unclear: { readonly part: readonly Asked[]; readonly count: number }[] = [];
    for (const [at, part] of parts.entries()) {
      const reply = replies[at] ?? null;
      const outcomes = outcomesOf(part, reply);
      if (outcomes) answerAll(part, outcomes);
      else unclear.push({ part, count: Number(reply) });
    }
    try {
      for (const { part, count } of unclear) answerAll(part, await wereAcked(link, part, count, timeoutMs));
    } catch (error) {
      for (const { part, count } of unclear) if (count > 0) for (const { held } of part) held.isDoubtful = true;
      throw error;
    }
  };

  /**
   * What may be tried again: acks in their time, and moves once more where the outcome of the first attempt is
   * unknown.
   */
  const fail = (asked: readonly Asked[], error: unknown): readonly Asked[] => {
    const outage = isUnanswered(error) ? error : undefined;
    const isDoubtful = outage !== undefined && outage.delivery !== "none";
    const nextMs = performance.now() + retryMs;
    const isLeft = ({ move, isRepeated, endsMs }: Asked): boolean =>
      outage !== undefined && !pauses.isEnded && endsMs > nextMs && (!move || (isDoubtful && !isRepeated));
    const left: Asked[] = [];
    for (const one of asked) {
      if (isDoubtful) one.held.isDoubtful = true;
      if (isLeft(one)) left.push(one);
      // That no attempt reached the server would be untrue of one whose earlier attempt may have.
      else answer(one, outage && !isDoubtful && one.held.isDoubtful ? undefined : toError(error));
      one.isRepeated = true;
    }
    return left;
  };

  const settleAll = async (asked: readonly Asked[]): Promise<void> => {
    let left = asked;
    while (left.length > 0) {
      const timeoutMs = Math.max(1, Math.ceil(Math.min(...left.map(({ endsMs }) => endsMs)) - performance.now()));
      try {
        await attempt(left, timeoutMs);
        return;
      } catch (error) {
        left = fail(
          left.filter(({ isDone }) => !isDone),
          error,
        );
        if (left.length > 0) await pauses.wait(retryMs, undefined);
      }
    }
  };

  const settleApart = async (asked: Asked): Promise<void> => {
    const timeoutMs = link.timeoutMs + graceMs;
    const claim = createClaim({ timeoutMs });
    apart.add(claim, timeoutMs);
    await settleAll([asked]);
    apart.delete(claim);
    claim.release();
  };

  /** Takes out what one trip may carry. */
  const takeBatch = (): readonly Asked[] => {
    let count = 0;
    let bytes = 0;
    while (count < Math.min(waiting.length, maxPerTrip)) {
      bytes += waiting[count]?.move?.bytes ?? 0;
      if (count > 0 && bytes > maxTripBytes) break;
      count++;
    }
    return waiting.splice(0, count);
  };

  const sendWaiting = async (): Promise<void> => {
    while (waiting.length > 0) await settleAll(takeBatch());
    sending = undefined;
  };
  const startSending = (): void => {
    if (waiting.length > 0) sending ??= sendWaiting();
  };

  return {
    settle(held, move, settled) {
      const endsMs = performance.now() + link.timeoutMs;
      const asked: Asked = { held, move, endsMs, settled, isRepeated: false, isDone: false };
      if (mayVanish) void settleApart(asked);
      else if (waiting.push(asked) === 1 && !sending) {
        // What one tick asks for travels together.
        atTickEnd(startSending);
      }
    },
    async close() {
      pauses.end();
      startSending();
      await sending;
      for (const claim of [...apart]) await claim.released();
    },
  };
}

/** Things by what they have in common, in order. */
export function groupBy<Thing, Group>(
  things: readonly Thing[],
  groupOf: (thing: Thing) => Group,
): ReadonlyMap<Group, Thing[]> {
  const groups = new Map<Group, Thing[]>();
  for (const thing of things) {
    const name = groupOf(thing);
    const list = groups.get(name);
    if (list) list.push(thing);
    else groups.set(name, [thing]);
  }
  return groups;
}

/** Undefined where a count of acks does not say which: what has become of the entries does. */
function outcomesOf(part: readonly Asked[], reply: Reply): readonly Outcome[] | undefined {
  if (reply === part.length) return part.map(() => true);
  if (Array.isArray(reply)) return part.map(({ held }, at) => (reply[at] === 1 ? true : wasDoneBefore(held)));
  return isCommandError(reply) ? part.map(() => reply) : undefined;
}

/**
 * What was given out, is there still and is not pending has been acked, and only its holder can have done it: a
 * request may arrive twice, and an answer get lost. A message that has got another lease has another entry.
 *
 * @param count - How many of them this attempt has acked.
 */
async function wereAcked(
  link: Link,
  part: readonly Asked[],
  count: number,
  timeoutMs: number,
): Promise<readonly Outcome[]> {
  const { key } = (part[0] as Asked).held.source;
  const [groups, ...found] = await link.send(
    [["XINFO", "GROUPS", key], ...part.map(({ held }): Command => ["XRANGE", key, held.entryId, held.entryId])],
    { timeoutMs },
  );
  const last = String(infoRows(accepted(groups)).find(({ name }) => name === group)?.["last-delivered-id"] ?? "0-0");
  const isThere = part.map((_, at) => (accepted(found[at]) as readonly Reply[]).length > 0);
  const isDoneHere = part.map(({ held }, at) => isThere[at] === true && !isLater(held.entryId, last));
  // Some of those that are gone were among the acked ones: the process that tends the queue has deleted them since.
  const someWereDone = count > isDoneHere.filter(Boolean).length;
  return part.map(({ held }, at) => {
    if (isThere[at]) return isDoneHere[at];
    held.isDoubtful ||= someWereDone;
    return wasDoneBefore(held);
  });
}

/**
 * @param part - At least one: either all are acks from one stream, or all are moves from one stream to the same place.
 */
function commandOf(part: readonly Asked[]): Command {
  const { held, move } = part[0] as Asked;
  const { key } = held.source;
  if (!move) return ["XACK", key, group, ...part.map((asked) => asked.held.entryId)];
  return moveCommand(
    key,
    move.to,
    part.flatMap((asked) => (asked.move ? [{ entryId: asked.held.entryId, ...asked.move }] : [])),
  );
}

/**
 * What is gone after an attempt whose outcome is unknown was done by that attempt, as long as no other worker can
 * have it. Later that can't be told.
 */
function wasDoneBefore(held: Held): boolean | undefined {
  if (!held.isDoubtful) return false;
  return performance.now() < held.expiresMs ? true : undefined;
}

const unknownError = (transport: string, id: string): TransportError =>
  new TransportError(
    "unreachable",
    `It is not known whether message "${id}" was settled: no answer told in time what became of it; it may come again`,
    { transport },
  );
