import { type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { deletePattern } from "@continuum-cache/core/kit";
import type { Batch } from "../journal/replay-plan.ts";
import { type BatchOutcome, done } from "./replay-batches.ts";

type PatternBatch = Extract<Batch, { kind: "invalidate" }>;

/**
 * Deletes the primary's keys that match any of these patterns, exactly as callers passed them. One scan of all keys
 * serves all patterns.
 *
 * @param send - Called for each step.
 * @throws TransportError when no answer came: then the scan has to be repeated.
 */
export async function deletePatterns(
  send: (commands: readonly Command[]) => Promise<Reply[]>,
  { globs, matches, mutations }: PatternBatch,
): Promise<BatchOutcome> {
  const [first = "", ...others] = globs;
  try {
    // For a single pattern the server returns only the keys that match.
    await deletePattern(send, others.length === 0 ? first : matches);
    return done;
  } catch (error) {
    if (!isCommandError(error)) throw error;
    return { ...done, dropped: mutations, refusals: globs.map((key) => ({ key, error })) };
  }
}
