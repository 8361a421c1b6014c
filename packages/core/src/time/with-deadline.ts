import { abortedError } from "../errors/call-errors.ts";
import { TransportError } from "../errors/transport-error.ts";
import type { CallOptions } from "../ports/transport.ts";
import { longestTimerMs } from "./duration.ts";
import { onAbort } from "./on-abort.ts";

/** How long a call may take when no option says otherwise, in milliseconds. */
export const defaultTimeoutMs = 5_000;

/**
 * Runs work that must end by its deadline. The work gets a signal that fires at the deadline or when the caller's own
 * signal does; the promise then rejects at once, whether or not the work heeds it, with kind `timeout` or `aborted`.
 * No timer and no listener outlives the call.
 */
export async function withDeadline<T>(
  transport: string,
  options: CallOptions | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeoutMs = Math.min(options?.timeoutMs ?? defaultTimeoutMs, longestTimerMs);
  const caller = options?.signal;
  if (caller?.aborted) throw abortedError(transport, caller, "none");
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopHearing = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    const end = (error: TransportError) => {
      reject(error);
      controller.abort(error);
    };
    timer = setTimeout(() => {
      end(
        new TransportError(
          "timeout",
          `No answer within ${timeoutMs} ms (raise \`timeout\`, or look at the server and the network)`,
          { transport },
        ),
      );
    }, timeoutMs);
    stopHearing = onAbort(caller, () => end(abortedError(transport, caller, "unknown")));
  });
  try {
    const result = work(controller.signal);
    // The caller has its answer: a later failure of the work is no unhandled rejection.
    result.catch(() => {});
    return await Promise.race([result, ended]);
  } finally {
    clearTimeout(timer);
    stopHearing();
  }
}
