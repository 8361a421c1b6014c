import { quoted } from "../errors/quoted.ts";
import { isTransportError, TransportError } from "../errors/transport-error.ts";
import { escapeGlob } from "../keys/glob-text.ts";
import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { assertOptions, functionOption, type KnownOptions } from "../settings/options.ts";
import { isWellFormed } from "../text/text.ts";
import { withDeadline } from "../time/with-deadline.ts";
import { type CacheCallOptions, knownCallOptions } from "./call-options.ts";
import { raw } from "./calls.ts";
import { type DeletePatternOptions, deletePattern } from "./delete-pattern.ts";
import type { Engine } from "./engine.ts";

const known: KnownOptions<DeletePatternOptions & CacheCallOptions> = { ...knownCallOptions, onProgress: true };

/** Sends one trip of a deletion, which heeds the signal among its options. */
type PartSender = (commands: readonly Command[], options: SendOptions) => Promise<Reply[]>;

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
 * Deletes keys by pattern, within one deadline for all trips together. Where a local stand-in may answer, a trip that
 * begins in the first half of the time has half of it: when the server is away, the rest is left for the stand-in. The
 * trip that is under way at the deadline is aborted, which says nothing against the server.
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
