import { type Command, type CommandError, isCommandError, type Reply, TransportError } from "@continuum-cache/core";
import type { Bulk } from "../values/bulk.ts";
import { type BatchOutcome, done } from "./replay-batches.ts";
import type { Batch } from "./replay-plan.ts";

type PatternBatch = Extract<Batch, { kind: "invalidate" }>;
type Send = (commands: readonly Command[]) => Promise<Reply[]>;

/** How many keys SCAN looks at per step. */
const scanCount = 1_000;

/**
 * Deletes the primary's keys that match any of some patterns, exactly as callers passed them: one walk over all keys, however many
 * patterns there are. Every key that is there from beginning to end is found.
 *
 * @param send - Called for each step.
 * @throws TransportError when no answer came: then the walk has to be made again.
 */
export async function deletePatterns(send: Send, { globs, matches, mutations }: PatternBatch): Promise<BatchOutcome> {
  // Of one pattern alone the server tells only the keys that match.
  const filter = globs.length === 1 ? ["MATCH", globs[0] ?? ""] : [];
  let cursor = "0";
  let found: readonly Bulk[] = [];
  try {
    do {
      const scan: Command = ["SCAN", cursor, ...filter, "COUNT", scanCount];
      const [page = null, unlinked = null] = await send(found.length > 0 ? [scan, ["UNLINK", ...found]] : [scan]);
      await unlinkEachIfApart(send, found, unlinked);
      const [next, keys] = pageOf(page);
      cursor = next;
      found = globs.length === 1 ? keys : keys.filter(matches);
    } while (cursor !== "0");
    if (found.length > 0) await unlinkEachIfApart(send, found, (await send([["UNLINK", ...found]]))[0] ?? null);
    return done;
  } catch (error) {
    if (!isCommandError(error)) throw error;
    return { ...done, dropped: mutations, refusals: globs.map((key) => ({ key, error })) };
  }
}

/** A Redis Cluster refuses keys of different slots in one command, so there each goes by itself. */
async function unlinkEachIfApart(send: Send, keys: readonly Bulk[], reply: Reply): Promise<void> {
  if (!isCommandError(reply)) return;
  if (reply.code !== "CROSSSLOT") throw reply;
  const replies = await send(keys.map((key): Command => ["UNLINK", key]));
  const refused: CommandError | undefined = replies.find(isCommandError);
  if (refused) throw refused;
}

function pageOf(page: Reply): readonly [cursor: string, keys: readonly Bulk[]] {
  if (isCommandError(page)) throw page;
  if (!Array.isArray(page) || !Array.isArray(page[1])) {
    throw new TransportError("protocol", "Expected SCAN to answer a cursor and keys", { transport: "fallback" });
  }
  return [String(page[0]), page[1] as readonly Bulk[]];
}
