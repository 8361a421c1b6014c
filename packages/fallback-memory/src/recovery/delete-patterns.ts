import { type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { deletePattern } from "@continuum-cache/core/kit";
import type { Batch } from "../journal/replay-plan.ts";
import { type BatchOutcome, done } from "./replay-batches.ts";

type PatternBatch = Extract<Batch, { kind: "invalidate" }>;

/**
 * Deletes the primary's keys that match any of some patterns, exactly as callers passed them: one walk over all keys, however many
 * patterns there are.
 *
 * @param send - Called for each step.
 * @throws TransportError when no answer came: then the walk has to be made again.
 */
export async function deletePatterns(
  send: (commands: readonly Command[]) => Promise<Reply[]>,
  { globs, matches, mutations }: PatternBatch,
): Promise<BatchOutcome> {
  const [first = "", ...others] = globs;
  try {
    // Of one pattern alone the server tells only the keys that match.
    await deletePattern(send, others.length === 0 ? first : matches);
    return done;
  } catch (error) {
    if (!isCommandError(error)) throw error;
    return { ...done, dropped: mutations, refusals: globs.map((key) => ({ key, error })) };
  }
}
