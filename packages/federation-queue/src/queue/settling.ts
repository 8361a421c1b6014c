import {
  type Command,
  createPauses,
  createSingleRun,
  errorOf,
  hasLastingTimers,
  isCommandError,
  isUnanswered,
  type Reply,
  TransportError,
} from "@continuum-cache/core";
import type { DoneEntries } from "./done-entries.ts";
import { infoRows } from "./info-rows.ts";
import type { Held } from "./leases.ts";
import { accepted, type Link } from "./link.ts";
import { isLater } from "./message-fields.ts";
import { type Move, moveCommand } from "./move-script.ts";
import { group, groupBy } from "./queue-keys.ts";
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

export function createSettling(link: Link, done: DoneEntries, repair: Repair): Settling {
  const pauses = createPauses();
  const waiting: Asked[] = [];
  /** Those that are on their way; what stays here has been left by a call that has vanished. */
  const sent = new Set<Asked>();

  const answer = (asked: Asked, outcome: Outcome): void => {
    // A run that was taken over may come to an end all the same.
    if (asked.isDone) return;
    asked.isDone = true;
    asked.settled(outcome ?? unknownError(link.name, asked.held.lease.id));
  };
  const answerAll = (part: readonly Asked[], outcomes: readonly Outcome[]): void => {
    const acked = part.flatMap(({ held, move }, at) => (!move && outcomes[at] === true ? [held] : []));
    if (acked.length > 0) {
      done.add(acked);
      repair.forget(acked);
    }
    for (const [at, one] of part.entries()) answer(one, outcomes[at]);
  };

  /** Those that go the same way are one command. Each is answered as soon as its outcome is known. */
  const attempt = async (batch: readonly Asked[], timeoutMs: number): Promise<void> => {
    const parts = [
      ...groupBy(batch, ({ held, move }) => (move ? `${move.to} ${held.source.key}` : held.source)).values(),
    ];
    const replies = await link.send(parts.map(commandOf), { timeoutMs });
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
      else answer(one, outage && !isDoubtful && one.held.isDoubtful ? undefined : errorOf(error));
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

  const sending = createSingleRun(async (isCurrent) => {
    takeBack();
    // What one tick asks for travels together.
    await Promise.resolve();
    while (waiting.length > 0 && isCurrent()) {
      const batch = takeBatch();
      for (const one of batch) sent.add(one);
      await settleAll(batch);
      for (const one of batch) sent.delete(one);
    }
  });
  /** What a run had sent whose call has vanished may have been done, and is asked for again. */
  const takeBack = (): void => {
    const nowMs = performance.now();
    for (const one of sent) {
      one.held.isDoubtful = true;
      if (one.endsMs > nowMs) waiting.unshift(one);
      else answer(one, undefined);
    }
    sent.clear();
  };

  return {
    settle(held, move, settled) {
      const endsMs = performance.now() + link.timeoutMs;
      const asked: Asked = { held, move, endsMs, settled, isRepeated: false, isDone: false };
      waiting.push(asked);
      sending.start();
      if (!hasLastingTimers()) void sending.attend(() => asked.isDone, { timeoutMs: link.timeoutMs });
    },
    async close() {
      pauses.end();
      await sending.idle();
    },
  };
}

/** Undefined where a count of acks does not say which: what has become of the entries does. */
function outcomesOf(part: readonly Asked[], reply: Reply): readonly Outcome[] | undefined {
  if (isCommandError(reply)) return part.map(() => reply);
  if (Array.isArray(reply)) return part.map(({ held }, at) => (reply[at] === 1 ? true : wasDoneBefore(held)));
  return reply === part.length ? part.map(() => true) : undefined;
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
