import { type CallOptions, isTransportError, type TransportError } from "@continuum-cache/core";
import { abortedError, closedError, createExpiringSet, longestTimerMs, onAbort } from "@continuum-cache/core/kit";
import { restError, restName } from "./rest-error.ts";

/** What the work of a call gets: the end of its time, and a way to note that a request was sent. */
export interface Call {
  /** Fires at the deadline, when the caller's signal does, and at `close()`. It is made when it is first asked for. */
  readonly signal: AbortSignal;
  /** The same for the one request in flight, without a signal. Only the latest listener is called. */
  onEnd(listener: (reason: TransportError) => void): void;
  /** Waits behind earlier calls. @throws TransportError when there is no time left then. */
  queue(turn: Promise<boolean>): Promise<void>;
  /**
   * Notes that the call starts to wait for a connection.
   *
   * @param answersCame - Whether any other request was answered since.
   * @returns ends the wait.
   */
  startWaiting(answersCame: () => boolean): () => void;
  /** The error of a call that is over: nothing may be sent then. */
  readonly over: TransportError | undefined;
  /** Notes that a request was sent: from then on the call may have run. */
  markSent(): void;
}

/** The calls in flight: each ends by its deadline, and all of them at `close()`. */
export interface Calls {
  /** Runs work. `settled` is called once when the call has ended, whatever becomes of its work. */
  run<T>(options: CallOptions | undefined, work: (call: Call) => Promise<T>, settled?: () => void): Promise<T>;
  /** Calls the listener at `close()`, for what outlives its call: subscriptions. Returns the function that stops it. */
  onClose(listener: () => void): () => void;
  close(): void;
}

const timeoutError = (timeoutMs: number, delivery: "none" | "unknown"): TransportError =>
  restError("timeout", `No answer within ${timeoutMs} ms (raise \`timeout\`, or look at the server and the network)`, {
    delivery,
  });

/** What a call waits for in this process, and what to do about it. */
type Waiting = keyof typeof waitingTexts;
const waitingTexts = {
  turn: ["behind earlier calls for the same keys", "raise `timeout`"],
  connection: ["for a connection, all of which were busy", "make fewer calls at once, or raise `timeout`"],
} as const;

function queuedError(waiting: Waiting, timeoutMs: number, delivery: "none" | "unknown"): TransportError {
  const [what, advice] = waitingTexts[waiting];
  const text = `The call waited too long ${what} to be answered within ${timeoutMs} ms (${advice})`;
  return restError("timeout", text, { delivery, queued: true });
}

/** A request with less time than this would only time out. */
const leastAttemptMs = 10;
/** A call that has not ended this long after its deadline has vanished with its request. */
const graceMs = 100;

/** A call that has begun: an open one may send, one that is over may not. */
class OpenCall implements Call {
  over: TransportError | undefined = undefined;
  /** `"unknown"` once something has left this process. */
  delivery: "none" | "unknown" = "none";
  readonly #timeoutMs: number;
  readonly #startedMs: number = performance.now();
  /** How long it has waited in this process, besides the wait that it is in. */
  #waitedMs = 0;
  #waitsSinceMs: number | undefined = undefined;
  #waiting: Waiting = "turn";
  #answersCame: () => boolean = () => true;
  #controller: AbortController | undefined = undefined;
  #listener: ((reason: TransportError) => void) | undefined = undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.over) this.#controller.abort(this.over);
    }
    return this.#controller.signal;
  }

  onEnd(latest: (reason: TransportError) => void): void {
    this.#listener = latest;
  }

  async queue(turn: Promise<boolean>): Promise<void> {
    this.#waitsSinceMs = this.#startedMs;
    await turn;
    this.#endWait();
    if (this.#timeoutMs - this.#waitedMs < leastAttemptMs) throw queuedError("turn", this.#timeoutMs, "none");
  }

  startWaiting(answersCame: () => boolean): () => void {
    this.#waitsSinceMs ??= performance.now();
    this.#waiting = "connection";
    this.#answersCame = answersCame;
    return () => this.#endWait();
  }

  #endWait(): void {
    if (this.#waitsSinceMs === undefined) return;
    this.#waitedMs += performance.now() - this.#waitsSinceMs;
    this.#waitsSinceMs = undefined;
  }

  markSent(): void {
    this.delivery = "unknown";
  }

  /** The error for a call whose time is over. */
  timeout(): TransportError {
    // Where waiting took most of the time, the rest was too little to tell anything of the server.
    const hasWaited = this.#waitsSinceMs !== undefined || 2 * this.#waitedMs > this.#timeoutMs;
    const isQueued = hasWaited && this.#answersCame();
    if (isQueued) return queuedError(this.#waiting, this.#timeoutMs, this.delivery);
    return timeoutError(this.#timeoutMs, this.delivery);
  }

  /** Tells the work, by its listener and its signal, that nothing waits for it any more. */
  end(reason: TransportError): void {
    this.over = reason;
    this.#controller?.abort(reason);
    this.#listener?.(reason);
  }
}

export function createCalls(defaultMs: number): Calls {
  let closed = false;
  /** What ends each open call when the transport is closed. */
  const open = createExpiringSet<() => void>();
  const onClose = new Set<() => void>();

  const start = <T>(options: CallOptions | undefined, work: (call: Call) => Promise<T>, settled?: () => void) =>
    new Promise<T>((resolve, reject) => {
      const timeoutMs = Math.min(options?.timeoutMs ?? defaultMs, longestTimerMs);
      const caller = options?.signal;
      const call = new OpenCall(timeoutMs);
      let isSettled = false;

      /** Whether this is the first end of the call, which is the one that counts. */
      const settle = (): boolean => {
        if (isSettled) return false;
        isSettled = true;
        clearTimeout(timer);
        stopHearing();
        open.delete(close);
        settled?.();
        return true;
      };
      const end = (error: TransportError): void => {
        if (!settle()) return;
        reject(error);
        call.end(error);
      };
      const fail = (error: unknown): void => {
        if (!settle()) return;
        // Nothing was sent yet, whatever the error of the work says.
        const isNone = isTransportError(error) && call.delivery === "none" && error.delivery !== "none";
        reject(isNone ? restError(error.kind, error.message, { delivery: "none", cause: error.cause }) : error);
      };
      const close = (): void => end(closedError(restName, "transport", call.delivery));

      const timer = setTimeout(() => end(call.timeout()), timeoutMs);
      const stopHearing = caller ? onAbort(caller, () => end(abortedError(restName, caller, call.delivery))) : () => {};
      open.add(close, timeoutMs + graceMs);
      try {
        work(call).then((value) => {
          if (settle()) resolve(value);
        }, fail);
      } catch (error) {
        fail(error);
      }
    });

  return {
    onClose(listener) {
      onClose.add(listener);
      return () => onClose.delete(listener);
    },
    run(options, work, settled) {
      if (closed) return Promise.reject(closedError(restName, "transport"));
      if (options?.signal?.aborted) return Promise.reject(abortedError(restName, options.signal));
      return start(options, work, settled);
    },
    close() {
      closed = true;
      for (const end of [...open]) end();
      for (const listener of onClose) listener();
    },
  };
}
