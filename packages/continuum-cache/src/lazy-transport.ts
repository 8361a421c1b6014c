import {
  type AnswerNow,
  answerNowOf,
  type CallOptions,
  type DispatchOffer,
  defaultTimeoutMs,
  dispatchOf,
  isConfigError,
  loadedOnce,
  longestTimerMs,
  offersDispatch,
  type Transport,
  TransportError,
  within,
} from "@continuum-cache/core";

/** What is known of a transport whose code is not loaded yet. */
export interface LazyOptions
  extends Pick<Transport, "name" | "maxTopicBytes" | "status">,
    Pick<DispatchOffer, "primary"> {
  /** Once it is loaded, it may answer without waiting. @default false */
  readonly answersNow?: boolean;
  /** Loads at once: there is something to do before the first use. @default false */
  readonly eager?: boolean;
  /** Closes what there is without the transport, when it was never used. */
  readonly closeUnused?: () => Promise<void>;
}

/** Does something with the transport; or hears why it could not be loaded. */
interface Work {
  run(transport: Transport): void;
  failed(error: unknown): void;
}

/**
 * A transport that is made at its first use, so that a cache can be constructed synchronously and for nothing. What is asked of it
 * meanwhile waits, no longer than its deadline, and keeps its order.
 *
 * @param load - Imports the code and makes the transport; called again after it has failed.
 */
export function lazyTransport(
  { eager = false, answersNow = false, closeUnused, primary, ...known }: LazyOptions,
  load: () => Promise<Transport>,
): Transport {
  const { name } = known;
  const offer = (answerNow: AnswerNow | undefined): DispatchOffer => ({
    ...(primary && { primary }),
    ...(answersNow && answerNow && { answerNow }),
  });
  let waiting: Work[] = [];
  let made: Transport | undefined;
  let making: Promise<Transport> | undefined;
  let isClosed = false;
  const loaded = loadedOnce(load);

  const start = (): void => {
    making = loaded();
    making.then(ready, failed);
  };
  const ready = (transport: Transport): void => {
    // A list that grows meanwhile is gone through to its end.
    for (const work of waiting) work.run(transport);
    waiting = [];
    made = transport;
    // From now on trips go there directly.
    offersDispatch(lazy, dispatchOf(transport), offer(answerNowOf(transport)));
  };
  const failed = (cause: unknown): void => {
    making = undefined;
    const text = "A part of the code could not be loaded: deploy all files of the packages, then try again";
    const error = isConfigError(cause)
      ? cause
      : new TransportError("unreachable", text, { transport: name, delivery: "none", cause });
    const left = waiting;
    waiting = [];
    for (const work of left) work.failed(error);
  };
  const refuse = (kind: "closed" | "timeout", text: string): TransportError =>
    new TransportError(kind, text, { transport: name, delivery: "none" });

  const use = (timeoutMs: number, { run, failed }: Work): void => {
    if (isClosed) {
      failed(refuse("closed", "The transport was closed"));
      return;
    }
    const end = (): void => {
      waiting = waiting.filter((each) => each !== work);
      failed(refuse("timeout", `A part of the code was not loaded within ${timeoutMs} ms: look at the disk it is on`));
    };
    const timer = timerFor(end, Math.min(timeoutMs, longestTimerMs));
    const work: Work = {
      run(transport) {
        clearTimeout(timer);
        run(transport);
      },
      failed(error) {
        clearTimeout(timer);
        failed(error);
      },
    };
    waiting.push(work);
    if (!making) start();
  };
  /** The same for work that answers later. */
  const using = <Result>(
    { timeoutMs = defaultTimeoutMs }: CallOptions = {},
    work: (transport: Transport) => Promise<Result>,
  ): Promise<Result> =>
    made
      ? work(made)
      : new Promise((resolve, reject) => {
          use(timeoutMs, { run: (transport) => void work(transport).then(resolve, reject), failed: reject });
        });

  const lazy: Transport = {
    ...known,
    send: (commands, options) => using(options, (transport) => transport.send(commands, options)),
    subscribe: (topics, listener, options) =>
      using(options, async (transport) => {
        if (transport.subscribe) return transport.subscribe(topics, listener, options);
        throw new TransportError("protocol", "This backend can't listen", { transport: name, delivery: "none" });
      }),
    async close() {
      isClosed = true;
      const loading = making;
      // No call waits longer either. Code that comes after all is closed then.
      const inTime = !loading || (await within(defaultTimeoutMs, Promise.allSettled([loading])));
      if (!inTime) void loading.then((transport) => transport.close()).catch(() => {});
      await (made ? made.close() : closeUnused?.());
    },
  };
  offersDispatch(
    lazy,
    (trip, handler) =>
      use(trip.leftMs, {
        run: (transport) => dispatchOf(transport)(trip, handler),
        failed: (error) => handler.failed(error),
      }),
    offer(() => undefined),
  );
  if (eager) start();
  return lazy;
}

/** A timer; `undefined` before the first request of a Worker, which may set none: there all code is at hand, and comes at once. */
function timerFor(callback: () => void, ms: number): ReturnType<typeof setTimeout> | undefined {
  try {
    return setTimeout(callback, ms);
  } catch {
    return undefined;
  }
}
