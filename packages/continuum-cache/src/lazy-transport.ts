import { isConfigError, type Subscription, type Transport, TransportError } from "@continuum-cache/core";
import {
  type AnswerSync,
  answerSyncOf,
  type Dispatch,
  type DispatchOffer,
  defaultTimeoutMs,
  dispatchOf,
  hasLastingTimers,
  longestTimerMs,
  registerDispatch,
  sendThrough,
  settlesWithin,
} from "@continuum-cache/core/kit";

/** What is known of a transport whose code is not loaded yet. */
export interface LazyOptions
  extends Pick<Transport, "name" | "maxTopicBytes" | "hasCheapTrips" | "status">,
    Pick<DispatchOffer, "primary"> {
  /** Once it is loaded, it may answer without waiting. @default false */
  readonly answersNow?: boolean;
  /** Loads at once: there is something to do before the first use. @default false */
  readonly eager?: boolean;
  /** Closes what there is without the transport, when it was never used. */
  readonly closeUnused?: () => Promise<void>;
}

type Subscribe = NonNullable<Transport["subscribe"]>;

/** Does something with the transport; or hears why it could not be loaded. */
interface Work {
  run(transport: Transport): void;
  failed(error: unknown): void;
}

/**
 * A transport that is made at its first use, so that a cache can be constructed synchronously and for nothing. What is
 * asked of it meanwhile waits, no longer than its deadline, and keeps its order.
 *
 * @param load - Brings the transport, the same one each time: see `loadedOnce`. Called again after it has failed.
 */
export function lazyTransport(
  { eager = false, answersNow = false, closeUnused, primary, ...known }: LazyOptions,
  load: () => Promise<Transport>,
): Transport {
  const { name } = known;
  const offer = (answerSync: AnswerSync | undefined): DispatchOffer => ({
    ...(primary && { primary }),
    ...(answersNow && answerSync && { answerSync }),
  });
  let waiting = 0;
  let made: Transport | undefined;
  let isStarted = false;
  let isClosed = false;

  const start = (): Promise<Transport> => {
    isStarted = true;
    return load();
  };
  const ready = (transport: Transport): void => {
    made = transport;
    // From now on trips go there directly.
    registerDispatch(lazy, dispatchOf(transport), offer(answerSyncOf(transport)));
  };
  const loadError = (cause: unknown): unknown => {
    const text = "A part of the code could not be loaded: deploy all files of the packages, then try again";
    return isConfigError(cause)
      ? cause
      : new TransportError("unreachable", text, { transport: name, delivery: "none", cause });
  };
  const refuse = (kind: "closed" | "timeout", text: string): TransportError =>
    new TransportError(kind, text, { transport: name, delivery: "none" });

  const use = (timeoutMs: number, { run, failed }: Work): void => {
    if (isClosed) {
      failed(refuse("closed", "The transport was closed"));
      return;
    }
    let isOver = false;
    /** Whether this is the first end of the wait, which is the one that counts. */
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      waiting--;
      clearTimeout(timer);
      return true;
    };
    const late = (): void => {
      if (!end()) return;
      failed(refuse("timeout", `A part of the code was not loaded within ${timeoutMs} ms: look at the disk it is on`));
    };
    waiting++;
    const timer = timerFor(late, Math.min(timeoutMs, longestTimerMs));
    start().then(
      (transport) => {
        if (!end()) return;
        run(transport);
        // What waits keeps its order. On the edge some of it may have vanished with its request.
        if (!made && (waiting === 0 || !hasLastingTimers())) ready(transport);
      },
      (cause) => {
        if (end()) failed(loadError(cause));
      },
    );
  };
  /** What waits for the code has the rest of its time afterwards. */
  const dispatch: Dispatch = (trip, handler) => {
    if (made) {
      dispatchOf(made)(trip, handler);
      return;
    }
    use(trip.leftMs, {
      run: (transport) => dispatchOf(transport)(trip, handler),
      failed: (error) => handler.failed(error),
    });
  };
  const listen = async (transport: Transport, ...asked: Parameters<Subscribe>): Promise<Subscription> => {
    if (transport.subscribe) return transport.subscribe(...asked);
    throw new TransportError("protocol", "This backend can't listen", { transport: name, delivery: "none" });
  };

  const lazy: Transport = {
    ...known,
    send: sendThrough(dispatch, defaultTimeoutMs),
    subscribe(topics, listener, options = {}) {
      if (made) return listen(made, topics, listener, options);
      const { timeoutMs = defaultTimeoutMs } = options;
      const endsMs = performance.now() + timeoutMs;
      const leftMs = (): number => Math.max(1, Math.ceil(endsMs - performance.now()));
      return new Promise((resolve, reject) => {
        use(timeoutMs, {
          run(transport) {
            listen(transport, topics, listener, { ...options, timeoutMs: leftMs() }).then(resolve, reject);
          },
          failed: reject,
        });
      });
    },
    async close() {
      isClosed = true;
      let transport = made;
      if (!transport && isStarted) {
        const loading = load();
        const loaded = loading.then(
          (one) => {
            transport = one;
          },
          () => {},
        );
        // No call waits longer either. Code that comes after all is closed then.
        const inTime = await settlesWithin(defaultTimeoutMs, loaded);
        if (!inTime) void loading.then((one) => one.close()).catch(() => {});
      }
      await (transport ? transport.close() : closeUnused?.());
    },
  };
  registerDispatch(
    lazy,
    dispatch,
    offer(() => undefined),
  );
  // What fails here is told to the first call, which loads again.
  if (eager) start().catch(() => {});
  return lazy;
}

/** A timer; `undefined` before the first request of a Worker, which may set none: there all code is at hand. */
function timerFor(callback: () => void, ms: number): ReturnType<typeof setTimeout> | undefined {
  try {
    return setTimeout(callback, ms);
  } catch {
    return undefined;
  }
}
