import {
  type BackendFailure,
  type Clock,
  type Command,
  type Reply,
  type Transport,
  TransportError,
} from "@continuum-cache/core";
import { createTimeSlices, yieldToEventLoop } from "@continuum-cache/core/kit";
import { never } from "@continuum-cache/transport-memory/kit";
import type { Attempt } from "../fallback/backend-switch.ts";
import type { Gate } from "../fallback/gate.ts";
import type { Pace } from "../fallback/pace.ts";
import type { OutageJournal, Replay } from "../journal/outage-journal.ts";
import type { Batch } from "../journal/replay-plan.ts";
import type { KnownValues } from "../known/known-values.ts";
import { deletePatterns } from "./delete-patterns.ts";
import { type BatchOutcome, keysIn, replayBatches } from "./replay-batches.ts";

export interface RecoveryOptions {
  readonly primary: Transport;
  /** Learns what stands at the primary. */
  readonly known: KnownValues;
  readonly journal: OutageJournal;
  readonly gate: Gate;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly onFailure: (failure: BackendFailure) => void;
  /** Resolves when nothing that was sent before can reach the primary any more. */
  readonly over: () => Promise<void>;
  /** Resolves when what has happened to the journal so far survives this process, if it is to. */
  readonly settled: () => Promise<void>;
}

/** So little is told under a shut gate: one or two trips for each kind of change. */
const lastEntries = 400;

/**
 * Tells the primary what the journal holds, part by part: what is written meanwhile makes the next part. The last one goes
 * with the gate shut, so that nothing new comes in while it is under way; it is left so, for the caller to open when calls are to go
 * somewhere else. It can be interrupted anywhere and goes on where it stopped.
 *
 * @throws TransportError when the primary is away again.
 */
export async function recover(attempt: Attempt, options: RecoveryOptions): Promise<void> {
  const { journal, gate } = options;
  // A write that is under way since before the outage would undo what is told now.
  await options.over();
  while (attempt.isCurrent() && journal.size.entries > 0) {
    // Callers who wait since an earlier part would lose their patience in the middle of this one: what they write goes with it.
    if (gate.open()) await yieldToEventLoop();
    if (isLast(journal)) gate.shut();
    const replay = journal.begin();
    if (!replay) return;
    // Before anything is done that must be done once: a later process has to do it under the same name.
    await options.settled();
    await replayPart(replay, attempt, options);
  }
}

/** A walk over all keys, as a pattern needs it, would hold callers up too long. */
const isLast = ({ size }: OutageJournal): boolean => size.entries <= lastEntries && size.patterns === 0;

async function replayPart(replay: Replay, attempt: Attempt, options: RecoveryOptions): Promise<void> {
  const { known, journal, pace, onFailure } = options;
  const slices = createTimeSlices();
  for (;;) {
    const most = pace.batches;
    // One more than is told, so that it is known at once whether anything is left.
    await replay.prepare(most + 1);
    if (!attempt.isCurrent()) return;
    const batches = replay.next(most);
    const outcomes = await outcomesOf(batches, attempt, options);
    if (!attempt.isCurrent()) return;
    for (const { key, value, end } of outcomes.flatMap(({ written }) => written)) {
      known.learned(key, value, typeof end === "number" ? end : never);
    }
    const mutations = journal.confirm(outcomes.length);
    void options.settled();
    const superseded = sum(outcomes, (outcome) => outcome.superseded);
    const dropped = sum(outcomes, (outcome) => outcome.dropped);
    attempt.done({ replayed: mutations - superseded - dropped, superseded, dropped });
    for (const { key, error } of outcomes.flatMap(({ refusals }) => refusals)) {
      onFailure({ operation: "replay", ...(typeof key === "string" && { key }), error });
    }
    if (replay.next(1).length === 0) return;
    // To take note of 1,600 keys takes some milliseconds.
    const steps = 2 * sum(batches.slice(0, outcomes.length), keysIn);
    await slices.yieldIfDue(steps);
  }
}

/**
 * What became of the first of these batches. Deletes are confirmed before anything else is told of their keys: a trip whose
 * reply is lost is made again, and then they would delete what has come behind them.
 */
async function outcomesOf(
  batches: readonly Batch[],
  attempt: Attempt,
  { primary, known, pace, clock }: RecoveryOptions,
): Promise<readonly BatchOutcome[]> {
  const [first] = batches;
  if (!first) return [];
  const current: Transport = {
    ...primary,
    async send(commands, sendOptions) {
      // What is told late would undo what has been told since.
      if (!attempt.isCurrent()) throw overtakenError(primary.name);
      return primary.send(commands, sendOptions);
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
    // A walk over many keys takes its time.
    attempt.done({ replayed: 0, superseded: 0, dropped: 0 });
    return replies;
  };
  // What was known of the keys before is not so any more, also of those that an earlier walk has deleted and not told.
  const fromTrip = known.mark();
  const outcome = await deletePatterns(send, first);
  // Until then the journal holds the patterns, so nothing of these keys is served.
  await known.forget(first.matches, fromTrip);
  return [outcome];
}

const overtakenError = (transport: string): TransportError =>
  new TransportError("unreachable", "Another attempt to tell the primary has begun", { transport, delivery: "none" });

const sum = <One>(all: readonly One[], count: (one: One) => number): number =>
  all.reduce((total, one) => total + count(one), 0);
