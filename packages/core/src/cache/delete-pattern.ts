import { isCommandError, unwrap } from "../errors/command-error.ts";
import { TransportError } from "../errors/transport-error.ts";
import type { Argument, Command, Reply } from "../ports/transport.ts";

/** How to delete by pattern. */
export interface DeletePatternOptions {
  /** Called after each round trip, with what has been found and deleted so far. */
  readonly onProgress?: (progress: { readonly scanned: number; readonly deleted: number }) => void;
}

type Send = (commands: readonly Command[]) => Promise<Reply[]>;

/** A key as SCAN tells it: text, or bytes that are no text. */
type Key = string | Uint8Array;

/**
 * How many keys SCAN looks at per step: enough for few round trips, few enough to hold up other clients for a
 * millisecond or two.
 */
const scanCount = 1_000;

/** So many keys are worth an UNLINK: each is a command that Upstash bills. */
const batchKeys = 500;

/**
 * The first key of a batch waits for so many steps at most. So a call that runs out of time has deleted nearly all
 * that it has found, also where few keys match.
 */
const batchSteps = 8;

/**
 * Deletes keys with SCAN and UNLINK, never KEYS. It collects the keys of several steps for one UNLINK, which travels
 * with the next SCAN, and holds less than a batch and one reply of SCAN in memory. Every key that is there from
 * beginning to end of the run is deleted.
 *
 * @param doomed - A glob that the keys match, or a test for what no single glob can say: then SCAN tells all keys
 *   there are.
 * @returns how many were deleted.
 * @throws CommandError when Redis refuses a command, and what `send` rejects with.
 */
export async function deletePattern(
  send: Send,
  doomed: string | ((key: Key) => boolean),
  { onProgress }: DeletePatternOptions = {},
): Promise<number> {
  const filter: readonly Argument[] = typeof doomed === "string" ? ["MATCH", doomed] : [];
  let cursor = "0";
  let found: readonly Key[] = [];
  let waitedSteps = 0;
  let scanned = 0;
  let deleted = 0;
  do {
    const scan: Command = ["SCAN", cursor, ...filter, "COUNT", scanCount];
    const batch = found.length >= batchKeys || waitedSteps === batchSteps ? found : [];
    const [page, ...unlinked] = await send(batch.length > 0 ? [scan, ["UNLINK", ...batch]] : [scan]);
    deleted += await unlinkedCount(send, batch, unlinked);
    const [next, told] = readPage(page);
    const keys = typeof doomed === "string" ? told : told.filter(doomed);
    cursor = next;
    if (batch.length > 0) {
      found = [];
      waitedSteps = 0;
    }
    found = found.concat(keys);
    if (found.length > 0) waitedSteps++;
    scanned += keys.length;
    onProgress?.({ scanned, deleted });
  } while (cursor !== "0");
  if (found.length > 0) {
    deleted += await unlinkedCount(send, found, await send([["UNLINK", ...found]]));
    onProgress?.({ scanned, deleted });
  }
  return deleted;
}

/** A Redis Cluster refuses keys of different slots in one command, so there each goes by itself. */
async function unlinkedCount(send: Send, batch: readonly Key[], replies: readonly Reply[]): Promise<number> {
  const [reply = 0] = replies;
  if (isCommandError(reply) && reply.code === "CROSSSLOT") {
    const each = await send(batch.map((key): Command => ["UNLINK", key]));
    return each.reduce<number>((sum, one) => sum + count(one), 0);
  }
  return count(reply);
}

const count = (reply: Reply): number => Number(unwrap(reply));

function readPage(reply: Reply | undefined): [cursor: string, keys: readonly Key[]] {
  const page = unwrap(reply);
  if (!Array.isArray(page) || !Array.isArray(page[1])) {
    throw new TransportError("protocol", "Expected SCAN to answer a cursor and keys", { transport: "cache" });
  }
  return [String(page[0]), page[1] as readonly Key[]];
}
