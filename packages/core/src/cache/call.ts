import { TransportError } from "../errors/transport-error.ts";
import type { Reply } from "../ports/transport.ts";
import { onAbort } from "../time/on-abort.ts";

/** How the replies to a call's commands become its result. */
export interface ReplyReader<Result> {
  /** @throws what the call rejects with. */
  read(replies: readonly Reply[], at: number): Result;
}

/** What a batch has to know of a call. */
export interface BatchedCall {
  readonly signal: AbortSignal | undefined;
  /** Whether it waits no longer, so that nothing has to be sent for it. */
  readonly isSettled: boolean;
  /** @param at - Where its replies begin. */
  answered(replies: readonly Reply[], at: number): void;
  failed(error: unknown): void;
}

/** One call's part of a batch. It settles once: by its replies, by a failure, or by its caller's signal. */
export class Call<Result> implements BatchedCall {
  readonly signal: AbortSignal | undefined;
  readonly #reader: ReplyReader<Result>;
  readonly #resolve: (result: Result) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onEnd: ((isFailure: boolean) => void) | undefined;
  readonly #stopHearing: (() => void) | undefined;
  #isSettled = false;

  /** @param onEnd - Called before the promise is settled. */
  constructor(
    reader: ReplyReader<Result>,
    { signal, transport }: { readonly signal: AbortSignal | undefined; readonly transport: string },
    promise: { resolve(result: Result): void; reject(error: unknown): void },
    onEnd?: (isFailure: boolean) => void,
  ) {
    this.#reader = reader;
    this.#resolve = promise.resolve;
    this.#reject = promise.reject;
    this.#onEnd = onEnd;
    this.signal = signal;
    this.#stopHearing = signal && onAbort(signal, () => this.failed(abortedError(transport, signal, "unknown")));
    if (signal?.aborted) this.failed(abortedError(transport, signal, "none"));
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  answered(replies: readonly Reply[], at: number): void {
    if (this.#isSettled) return;
    let result: Result;
    try {
      result = this.#reader.read(replies, at);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.#end(false);
    this.#resolve(result);
  }

  failed(error: unknown): void {
    if (this.#isSettled) return;
    this.#end(true);
    this.#reject(error);
  }

  #end(isFailure: boolean): void {
    this.#isSettled = true;
    this.#stopHearing?.();
    this.#onEnd?.(isFailure);
  }
}

function abortedError(transport: string, signal: AbortSignal, delivery: "none" | "unknown"): TransportError {
  return new TransportError("aborted", "The call was aborted by its signal", {
    transport,
    delivery,
    cause: signal.reason,
  });
}
