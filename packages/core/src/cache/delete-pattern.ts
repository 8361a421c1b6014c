import { isCommandError, unwrap } from "../errors/command-error.ts";
import { quoted } from "../errors/quoted.ts";
import { isTransportError, TransportError } from "../errors/transport-error.ts";
import { escapeGlob } from "../keys/glob-text.ts";
import type { Argument, Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { assertOptions, functionOption, type KnownOptions } from "../settings/options.ts";
import { isWellFormed } from "../text/text.ts";
import { withDeadline } from "../time/with-deadline.ts";
import { type CacheCallOptions, knownCallOptions } from "./call-options.ts";
import { raw } from "./calls.ts";
import type { Engine } from "./engine.ts";

/** How to delete by pattern. */
export interface DeletePatternOptions {
  /** Called after each round trip, with what has been found and deleted so far. */
  readonly onProgress?: (progress: { readonly scanned: number; readonly deleted: number }) => void;
}

const known: KnownOptions<DeletePatternOptions & CacheCallOptions> = { ...knownCallOptions, onProgress: true };

type Send = (commands: readonly Command[]) => Promise<Reply[]>;

/** A key as SCAN tells it: text, or bytes that are no text. */
type Key = string | Uint8Array;

/** Sends one trip of a deletion, which heeds the signal among its options. */
type PartSender = (commands: readonly Command[], options: SendOptions) => Promise<Reply[]>;

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

/** `cache.deletePattern`. @param askedBy - What the call asks of its round trips. */
export async function deletePatternOf(
  { keyPrefix, transport, timeoutMs, calls, outdate }: Engine,
  askedBy: (options: CacheCallOptions) => SendOptions,
  glob: string,
  options: DeletePatternOptions & CacheCallOptions,
): Promise<number> {
  assertDeletePattern(glob, options);
  const full = escapeGlob(keyPrefix) + glob;
  outdate(full);
  const asked = { timeoutMs, ...askedBy(options), invalidates: [full] };
  const send: PartSender = (part, own) => calls.one(() => [raw("deletePattern", part), own]);
  return deletePatternWithin(transport, asked, send, full, options);
}

/** @throws TypeError when it is no pattern, ConfigError when an option is unknown. */
function assertDeletePattern(glob: unknown, options: DeletePatternOptions & CacheCallOptions): void {
  assertOptions("cache.deletePattern", options, known);
  functionOption("onProgress", options.onProgress);
  if (typeof glob !== "string" || glob === "") {
    throw new TypeError(`Expected a pattern such as "query:*", got ${quoted(glob)}`);
  }
  if (!isWellFormed(glob)) {
    throw new TypeError(`Expected a pattern of whole characters, got half a surrogate pair in ${quoted(glob)}`);
  }
}

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

/**
 * The same within one deadline for all trips together. Where a local stand-in may answer, a trip that begins in the
 * first half of the time has half of it: when the server is away, the rest is left for the stand-in. The trip that is
 * under way at the deadline is aborted, which says nothing against the server.
 *
 * @param transport - What the trips go through in the end: with a backend status it has a stand-in.
 * @throws TransportError of kind `timeout` that says how much was deleted by then.
 */
async function deletePatternWithin(
  transport: Transport,
  asked: SendOptions & { readonly timeoutMs: number },
  send: PartSender,
  glob: string,
  { onProgress }: DeletePatternOptions,
): Promise<number> {
  const hasStandIn = asked.fallback !== false && transport.status !== undefined;
  const startedMs = performance.now();
  const halfMs = Math.ceil(asked.timeoutMs / 2);
  const leftMs = (): number => Math.ceil(asked.timeoutMs - (performance.now() - startedMs));
  let deleted = 0;
  const sendPart = async (commands: readonly Command[], signal: AbortSignal): Promise<Reply[]> => {
    const whole = { ...asked, signal };
    if (!hasStandIn || leftMs() < halfMs) return send(commands, whole);
    try {
      return await send(commands, { ...whole, timeoutMs: halfMs });
    } catch (error) {
      if (!isTransportError(error) || !error.queued) throw error;
      // No stand-in answers a trip whose turn has not come, so it waits on, for as long as is left: out of that a
      // fallback keeps a part, so that the stand-in still answers in time when the server turns out to be away.
      return send(commands, { ...whole, timeoutMs: Math.max(1, leftMs()) });
    }
  };
  try {
    return await withDeadline("deletePattern", asked, (signal) =>
      deletePattern((commands) => sendPart(commands, signal), glob, {
        onProgress(progress) {
          deleted = progress.deleted;
          onProgress?.(progress);
        },
      }),
    );
  } catch (error) {
    if (!isTransportError(error) || error.kind !== "timeout" || error.transport !== "deletePattern") throw error;
    throw new TransportError(
      "timeout",
      `Not all keys that match were deleted within ${asked.timeoutMs} ms, but ${deleted} were (raise ` +
        "`timeout`, or call again)",
      { transport: "cache", cause: error },
    );
  }
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
