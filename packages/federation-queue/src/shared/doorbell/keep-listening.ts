import {
  isTransportError,
  type Message,
  type Subscription,
  type Transport,
  type TransportErrorKind,
} from "@continuum-cache/core";
import { createCancellableSleep } from "@continuum-cache/core/kit";

/** Who is told what is heard, and that something may not have been. */
export interface ListeningListener {
  message(message: Message): void;
  /** The stream broke, or is there. @param isHeard - Whether the server has confirmed, and others are heard. */
  changed(isHeard: boolean): void;
  /** It can't be opened: told once until it can. */
  failed(error: unknown): void;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** A stream that lived so long was no failure. */
const steadyMs = 10_000;

/**
 * Subscribes to a channel, and again whenever the stream breaks. Never rejects: without a stream nothing is heard, and who listens
 * looks by itself. Returns the function that ends it.
 */
export function keepListening(
  transport: Transport,
  channel: string,
  timeoutMs: number,
  { message, changed, failed }: ListeningListener,
): () => Promise<void> {
  const pauses = createCancellableSleep();
  const closing = new AbortController();
  const closed = new Promise<"closed">((resolve) => {
    closing.signal.addEventListener("abort", () => resolve("closed"), { once: true });
  });
  let open: Subscription | undefined;

  /** Resolves when the stream has broken. @throws TransportError when it can't be opened. */
  const listen = async (subscribe: NonNullable<Transport["subscribe"]>): Promise<TransportErrorKind> => {
    let interrupt: (kind: TransportErrorKind) => void = () => {};
    const interrupted = new Promise<TransportErrorKind>((resolve) => {
      interrupt = resolve;
    });
    open = await subscribe(
      { channels: [channel] },
      { message, interrupted: ({ kind }) => interrupt(kind) },
      { timeoutMs, signal: closing.signal },
    );
    if (!pauses.isEnded) changed(open.degraded !== true);
    return Promise.race([interrupted, closed]);
  };

  const keep = async (): Promise<void> => {
    const subscribe = transport.subscribe?.bind(transport);
    let pauseMs = firstPauseMs;
    let isTold = false;
    while (subscribe && !pauses.isEnded) {
      const openedMs = performance.now();
      try {
        // A transport that is closed stays so; all else may pass.
        if ((await listen(subscribe)) === "closed") return;
        open = undefined;
        isTold = false;
        if (!pauses.isEnded) changed(false);
      } catch (error) {
        if (isTransportError(error) && error.kind === "closed") return;
        // An outage is told by those who send: a channel that is forbidden by nobody else.
        const isOurs = !isTransportError(error) || error.kind === "unauthorized";
        if (isOurs && !isTold && !pauses.isEnded) failed(error);
        isTold ||= isOurs;
      }
      if (performance.now() - openedMs > steadyMs) pauseMs = firstPauseMs;
      await pauses.wait(pauseMs * (0.5 + Math.random()), undefined);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    }
  };
  const kept = keep();

  return async () => {
    pauses.end();
    closing.abort();
    await kept;
    const subscription = open;
    open = undefined;
    await subscription?.close();
  };
}
