import { abortedError } from "../errors/call-errors.ts";
import { TransportError } from "../errors/transport-error.ts";
import { longestTimerMs } from "../time/duration.ts";
import { onAbort } from "../time/on-abort.ts";

/**
 * How much later than the transport itself the backstop acts: the transport knows better what has become of the trip.
 */
const graceMs = 20;

/**
 * Settles as the answer does, and at the latest 20 ms after the deadline or the caller's abort. It is for transports
 * of third parties that ignore either. A transport that keeps both is never cut off here. It cancels no work.
 *
 * It does less than `withDeadline`, at a tenth of its price: every trip passes through here.
 */
export function withHardDeadline<T>(
  answer: Promise<T>,
  transport: string,
  { timeoutMs, signal }: HardDeadlineOptions,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cutOff = (aborted: boolean): void => {
      end();
      reject(aborted ? abortedError(transport, signal, "unknown") : timeoutError(transport, timeoutMs));
    };
    let timer = setTimeout(cutOff, Math.min(timeoutMs + graceMs, longestTimerMs), false);
    const wasAborted = (): void => {
      clearTimeout(timer);
      timer = setTimeout(cutOff, graceMs, true);
    };
    const stopHearing = onAbort(signal, wasAborted);
    const end = (): void => {
      clearTimeout(timer);
      stopHearing();
    };
    if (signal?.aborted) wasAborted();
    answer.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}

interface HardDeadlineOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

const timeoutError = (transport: string, timeoutMs: number): TransportError =>
  new TransportError(
    "timeout",
    `No answer within ${timeoutMs} ms, and the transport "${transport}" did not say so by itself (it should ` +
      "heed `timeoutMs`)",
    { transport },
  );
