import { type Clock, type Command, type Reply, type Transport, TransportError } from "@continuum-cache/core";
import { type BackendFailure, createTimeSlices, yieldToEventLoop } from "@continuum-cache/core/kit";
import { never } from "@continuum-cache/transport-memory/kit";
import type { RecoveryAttempt } from "../failover/failover-controller.ts";
import type { Gate } from "../failover/gate.ts";
import type { Pace } from "../failover/pace.ts";
import type { OutageJournal, Replay } from "../journal/outage-journal.ts";
import type { Batch } from "../journal/replay-plan.ts";
import type { LastSeenValues } from "../last-seen/last-seen-values.ts";
import { deletePatterns } from "./delete-patterns.ts";
import { type BatchOutcome, keysIn, replayBatches } from "./replay-batches.ts";

export interface RecoveryOptions {
  readonly primary: Transport;
  /** Gets the values that the replay sets. */
  readonly lastSeen: LastSeenValues;
  readonly journal: OutageJournal;
  readonly gate: Gate;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly onFailure: (failure: BackendFailure) => void;
  /** Resolves when no trip that was sent before can reach the primary any more. */
  readonly sent: () => Promise<void>;
  /** Resolves when the store has the journal as it is now; at once if there is no store. */
  readonly persisted: () => Promise<void>;
}

/** The most entries that are replayed while callers are held back: one or two trips for each kind of change. */
const lastEntries = 400;

/**
 * Replays the journal to the primary, part by part: what is written meanwhile makes the next part. The last part is
 * replayed with the gate shut, so that no call writes meanwhile; the gate stays shut, and the caller opens it when it
 * is decided where calls go. The replay can be interrupted anywhere, and goes on where it stopped.
 *
 * @throws TransportError when the primary is away again.
 */
export async function recover(attempt: RecoveryAttempt, options: RecoveryOptions): Promise<void> {
  const { journal, gate } = options;
  // A write in flight since before the outage would undo what is replayed now.
  await options.sent();
  while (attempt.isCurrent() && journal.size.entries > 0) {
    // Callers that wait since an earlier part would time out during this one. They go on now, and this part takes
    // their writes.
    if (gate.open()) await yieldToEventLoop();
    if (isLast(journal)) gate.shut();
    const replay = journal.begin();
    if (!replay) return;
    // The store has the id of this replay before anything is applied once: a later process must repeat it under the
    // same id.
    await options.persisted();
    await replayPart(replay, attempt, options);
  }
}

/** A part with patterns is never the last: their scan of all keys would hold callers back too long. */
const isLast = ({ size }: OutageJournal): boolean => size.entries <= lastEntries && size.patterns === 0;

async function replayPart(replay: Replay, attempt: RecoveryAttempt, options: RecoveryOptions): Promise<void> {
  const { lastSeen, journal, pace, onFailure } = options;
  const slices = createTimeSlices();
  for (;;) {
    const most = pace.batches;
    // One batch more than is sent, so that it is known at once whether any is left.
    await replay.prepare(most + 1);
    if (!attempt.isCurrent()) return;
    const batches = replay.next(most);
    const outcomes = await outcomesOf(batches, attempt, options);
    if (!attempt.isCurrent()) return;
    for (const { key, value, expiry } of outcomes.flatMap(({ written }) => written)) {
      lastSeen.recordWritten(key, value, typeof expiry === "number" ? expiry : never);
    }
    const mutations = journal.confirm(outcomes.length);
    void options.persisted();
    const superseded = sum(outcomes, (outcome) => outcome.superseded);
    const dropped = sum(outcomes, (outcome) => outcome.dropped);
    attempt.addToRecovery({ replayed: mutations - superseded - dropped, superseded, dropped });
    for (const { key, error } of outcomes.flatMap(({ refusals }) => refusals)) {
      onFailure({ operation: "replay", ...(typeof key === "string" && { key }), error });
    }
    if (replay.next(1).length === 0) return;
    // Recording 1,600 keys takes some milliseconds.
    const steps = 2 * sum(batches.slice(0, outcomes.length), keysIn);
    await slices.yieldIfDue(steps);
  }
}

/**
 * Replays the first of these batches and returns their outcomes. Deletes are confirmed before any other change of
 * their keys is sent: if their reply is lost they are repeated, and would delete what was set after them.
 */
async function outcomesOf(
  batches: readonly Batch[],
  attempt: RecoveryAttempt,
  { primary, lastSeen, pace, clock }: RecoveryOptions,
): Promise<readonly BatchOutcome[]> {
  const [first] = batches;
  if (!first) return [];
  const current: Transport = {
    ...primary,
    async send(commands, sendOptions) {
      // A late replay would undo what has been replayed since.
      if (!attempt.isCurrent()) throw overtakenError(primary.name);
      // Other processes may hold what is replaced here.
      return primary.send(commands, { ...sendOptions, announce: true });
    },
  };
  if (first.kind !== "invalidate") {
    const isDelete = first.kind === "delete";
    const alike = batches
      .filter((batch) => batch.kind !== "invalidate")
      .filter(({ kind }) => (kind === "delete") === isDelete);
    return pace.trip((timeoutMs) => replayBatches(current, alike, clock.now(), { timeoutMs }));
  }
  const send = async (commands: readonly Command[]): Promise<Reply[]> => {
    const replies = await pace.trip((timeoutMs) => current.send(commands, { timeoutMs }));
    // Shows progress: a scan of many keys takes long.
    attempt.addToRecovery({ replayed: 0, superseded: 0, dropped: 0 });
    return replies;
  };
  // Values that were seen before are gone, also those of keys that an interrupted scan has deleted.
  const fromTrip = lastSeen.nextNumber();
  const outcome = await deletePatterns(send, first);
  // Until then the journal holds the patterns, so no value of these keys is served.
  await lastSeen.forgetOlder(first.matches, fromTrip);
  return [outcome];
}

const overtakenError = (transport: string): TransportError =>
  new TransportError("unreachable", "Another attempt to replay the journal has begun", { transport, delivery: "none" });

const sum = <One>(all: readonly One[], count: (one: One) => number): number =>
  all.reduce((total, one) => total + count(one), 0);
