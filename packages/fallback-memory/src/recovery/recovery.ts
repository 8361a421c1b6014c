import type { BackendFailure, Clock, Transport } from "@continuum-cache/core";
import type { Attempt } from "../fallback/backend-switch.ts";
import type { Gate } from "../fallback/gate.ts";
import type { KnownValues } from "../fallback/known-values.ts";
import type { OutageJournal, Replay } from "../journal/outage-journal.ts";
import { never } from "../keyspace/keyspace.ts";
import { replayBatch } from "./replay-batch.ts";

export interface RecoveryOptions {
  readonly primary: Transport;
  /** Learns what stands at the primary. */
  readonly known: KnownValues;
  readonly journal: OutageJournal;
  readonly gate: Gate;
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
 * with the gate shut, so that nothing new comes in while it is under way. It can be interrupted anywhere and goes on
 * where it stopped.
 *
 * @throws TransportError when the primary is away again.
 */
export async function recover(attempt: Attempt, options: RecoveryOptions): Promise<void> {
  const { journal, gate } = options;
  // A write that is under way since before the outage would undo what is told now.
  await options.over();
  try {
    while (attempt.isCurrent()) {
      if (isLast(journal)) gate.shut();
      const replay = journal.begin();
      if (!replay) return;
      // Before anything is done that must be done once: a later process has to do it under the same name.
      await options.settled();
      await replayPart(replay, attempt, options);
      gate.open();
    }
  } finally {
    gate.open();
  }
}

/** A walk over all keys, as a pattern needs it, would hold callers up too long. */
const isLast = ({ size }: OutageJournal): boolean => size.entries <= lastEntries && size.patterns === 0;

async function replayPart(replay: Replay, attempt: Attempt, options: RecoveryOptions): Promise<void> {
  const { primary, known, journal, clock, onFailure } = options;
  for (let batch = replay.batches[replay.done]; batch; batch = replay.batches[replay.done]) {
    const { superseded, written, refusals } = await replayBatch(primary, batch, clock.now());
    if (!attempt.isCurrent()) return;
    for (const { key, value, end } of written) known.learned(key, value, typeof end === "number" ? end : never);
    journal.confirm();
    void options.settled();
    attempt.done({
      replayed: Math.max(0, batch.mutations - superseded - refusals.length),
      superseded,
      dropped: refusals.length,
    });
    for (const { key, error } of refusals) {
      onFailure({ operation: "replay", ...(typeof key === "string" && { key }), error });
    }
  }
}
