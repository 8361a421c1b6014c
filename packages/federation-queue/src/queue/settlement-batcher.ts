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
  unwrap,
} from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import type { LeaseRecord } from "./leases.ts";
import { infoRows, isLater } from "./message-fields.ts";
import { type Move, moveCommand } from "./move-script.ts";
import type { Repair } from "./repair/repair.ts";
import { group } from "./settings.ts";

/** Ends leases in Redis. Settlements that arrive while a round trip is in flight share the next one. */
export interface SettlementBatcher {
  /**
   * Acks a message, or moves it elsewhere.
   *
   * @param settled - Called once: with whether the lease was held, or with the error if that is unknown.
   */
  settle(record: LeaseRecord, move: Move | undefined, settled: Settled): void;
  /** Waits for what is in flight, without further attempts. */
  close(): Promise<void>;
}

/** A callback, since a promise for each message would be slow. */
export type Settled = (outcome: boolean | Error) => void;

interface Settlement {
  readonly record: LeaseRecord;
  /** Undefined: an ack. */
  readonly move: Move | undefined;
  readonly deadlineMs: number;
  readonly settled: Settled;
  isRepeated: boolean;
  isDone: boolean;
}

/**
 * Whether the lease was held. Undefined: an earlier attempt may have settled it, or another worker may have the
 * message.
 */
type Outcome = boolean | undefined | Error;

const mostPerTrip = 400;
const mostBytesPerTrip = 256 << 10;
const retryMs = 100;
/** On the edge: a settlement that is so late has vanished with its call. */
const graceMs = 100;

export function createSettlementBatcher(client: PrimaryClient, hooks: Pick<Repair, "acked">): SettlementBatcher {
  const pauses = createCancellableSleep();
  const attempt = createAttempt(client, hooks, () => !pauses.isEnded);
  const atTickEnd = tickEnd();
  /** On the edge: what a call has started may vanish with it, so no call settles for another. */
  const mayVanish = !hasLastingTimers();
  /** The settlements of the next round trip. */
  const waiting: Settlement[] = [];
  let sending: Promise<void> | undefined;
  const separate = createExpiringSet<Claim>();

  const settleAll = async (settlements: readonly Settlement[]): Promise<void> => {
    let left = settlements;
    while (left.length > 0) {
      left = await attempt(left);
      if (left.length > 0) await pauses.wait(retryMs, undefined);
    }
  };

  const settleSeparately = async (settlement: Settlement): Promise<void> => {
    const timeoutMs = client.timeoutMs + graceMs;
    const claim = createClaim({ timeoutMs });
    separate.add(claim, timeoutMs);
    await settleAll([settlement]);
    separate.delete(claim);
    claim.release();
  };

  /** Removes what one round trip may carry. */
  const takeBatch = (): readonly Settlement[] => {
    let count = 0;
    let bytes = 0;
    while (count < Math.min(waiting.length, mostPerTrip)) {
      bytes += waiting[count]?.move?.bytes ?? 0;
      if (count > 0 && bytes > mostBytesPerTrip) break;
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
    settle(record, move, settled) {
      const deadlineMs = performance.now() + client.timeoutMs;
      const settlement: Settlement = { record, move, deadlineMs, settled, isRepeated: false, isDone: false };
      if (mayVanish) void settleSeparately(settlement);
      else if (waiting.push(settlement) === 1 && !sending) {
        // Settlements of one tick share a round trip.
        atTickEnd(startSending);
      }
    },
    async close() {
      pauses.end();
      startSending();
      await sending;
      for (const claim of [...separate]) await claim.released();
    },
  };
}

/** @returns a function that makes one attempt to settle a batch, and resolves to what may be tried again. */
function createAttempt(
  client: PrimaryClient,
  hooks: Pick<Repair, "acked">,
  mayRetry: () => boolean,
): (batch: readonly Settlement[]) => Promise<readonly Settlement[]> {
  const together = !hasLastingTimers();

  const finish = (settlement: Settlement, outcome: Outcome): void => {
    settlement.isDone = true;
    settlement.settled(outcome ?? unknownError(client.name, settlement.record.lease.id));
  };
  const finishAll = (part: readonly Settlement[], outcomes: readonly Outcome[]): void => {
    const acked = part.flatMap(({ record, move }, at) => (!move && outcomes[at] === true ? [record] : []));
    if (acked.length > 0) hooks.acked(acked);
    for (const [at, settlement] of part.entries()) finish(settlement, outcomes[at]);
  };

  /** Settlements of the same kind are one command. Each is finished as soon as its outcome is known. */
  const send = async (batch: readonly Settlement[], timeoutMs: number): Promise<void> => {
    const byCommand = groupBy(batch, ({ record, move }) => (move ? `${move.to} ${record.stream.key}` : record.stream));
    const parts = [...byCommand.values()];
    const replies = await client.send(parts.map(commandOf), { timeoutMs, together });
    const unclear: { readonly part: readonly Settlement[]; readonly count: number }[] = [];
    for (const [at, part] of parts.entries()) {
      const reply = replies[at] ?? null;
      const outcomes = outcomesOf(part, reply);
      if (outcomes) finishAll(part, outcomes);
      else unclear.push({ part, count: Number(reply) });
    }
    try {
      for (const { part, count } of unclear) finishAll(part, await wereAcked(client, part, count, timeoutMs));
    } catch (error) {
      for (const { part, count } of unclear) if (count > 0) for (const { record } of part) record.isUncertain = true;
      throw error;
    }
  };

  /**
   * Finishes failed settlements, except for those that may be tried again: acks until their deadline, and moves once if
   * the outcome of their first attempt is unknown.
   */
  const fail = (failed: readonly Settlement[], error: unknown): readonly Settlement[] => {
    const outage = isUnanswered(error) ? error : undefined;
    const isUncertain = outage !== undefined && outage.delivery !== "none";
    const nextMs = performance.now() + retryMs;
    const left: Settlement[] = [];
    for (const settlement of failed) {
      const { record, move, deadlineMs, isRepeated } = settlement;
      if (isUncertain) record.isUncertain = true;
      const mayRepeat = !move || (isUncertain && !isRepeated);
      if (outage && mayRetry() && deadlineMs > nextMs && mayRepeat) left.push(settlement);
      // The error says that nothing was delivered: untrue if an earlier attempt may have been.
      else finish(settlement, outage && !isUncertain && record.isUncertain ? undefined : toError(error));
      settlement.isRepeated = true;
    }
    return left;
  };

  return async (batch) => {
    const deadlineMs = Math.min(...batch.map((settlement) => settlement.deadlineMs));
    try {
      await send(batch, Math.max(1, Math.ceil(deadlineMs - performance.now())));
      return [];
    } catch (error) {
      const failed = batch.filter(({ isDone }) => !isDone);
      return fail(failed, error);
    }
  };
}

/** Groups things by what they have in common, in order. */
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

/** Undefined if the reply is a count of acks, which does not say which ones: `wereAcked` looks at the entries. */
function outcomesOf(part: readonly Settlement[], reply: Reply): readonly Outcome[] | undefined {
  if (reply === part.length) return part.map(() => true);
  if (Array.isArray(reply)) return part.map(({ record }, at) => (reply[at] === 1 ? true : wasSettledBefore(record)));
  return isCommandError(reply) ? part.map(() => reply) : undefined;
}

/**
 * An entry that was given out, exists and is not pending was acked, and only its holder can have done so: a request may
 * arrive twice, and a reply may get lost. A message that was given out again has another entry.
 *
 * @param count - How many of them this attempt has acked.
 */
async function wereAcked(
  client: PrimaryClient,
  part: readonly Settlement[],
  count: number,
  timeoutMs: number,
): Promise<readonly Outcome[]> {
  const { key } = (part[0] as Settlement).record.stream;
  const [groups, ...found] = await client.send(
    [["XINFO", "GROUPS", key], ...part.map(({ record }): Command => ["XRANGE", key, record.entryId, record.entryId])],
    { timeoutMs },
  );
  const last = String(infoRows(unwrap(groups)).find(({ name }) => name === group)?.["last-delivered-id"] ?? "0-0");
  const exists = part.map((_, at) => (unwrap(found[at]) as readonly Reply[]).length > 0);
  const isAcked = part.map(({ record }, at) => exists[at] === true && !isLater(record.entryId, last));
  // Then maintenance has deleted some of the acked entries since.
  const someAreDeleted = count > isAcked.filter(Boolean).length;
  return part.map(({ record }, at) => {
    if (exists[at]) return isAcked[at];
    record.isUncertain ||= someAreDeleted;
    return wasSettledBefore(record);
  });
}

/** @param part - At least one: all acks of one stream, or all moves from one stream to the same key. */
function commandOf(part: readonly Settlement[]): Command {
  const { record, move } = part[0] as Settlement;
  const { key } = record.stream;
  if (!move) return ["XACK", key, group, ...part.map((settlement) => settlement.record.entryId)];
  return moveCommand(
    key,
    move.to,
    part.flatMap((settlement) => (settlement.move ? [{ entryId: settlement.record.entryId, ...settlement.move }] : [])),
  );
}

/**
 * An entry that is gone after an attempt of unknown outcome was settled by that attempt, as long as the lease lasts.
 * After that another worker may have the message, and the outcome is unknown.
 */
function wasSettledBefore(record: LeaseRecord): boolean | undefined {
  if (!record.isUncertain) return false;
  return performance.now() < record.expiresMs ? true : undefined;
}

const unknownError = (transport: string, id: string): TransportError =>
  new TransportError(
    "unreachable",
    `Message "${id}" may or may not be settled: no answer came in time. It may be delivered again`,
    { transport },
  );
