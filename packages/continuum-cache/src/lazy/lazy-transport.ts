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

/** The facts of a transport whose code is not loaded yet. */
export interface LazyOptions
  extends Pick<Transport, "name" | "maxTopicBytes" | "hasCheapTrips" | "status">,
    Pick<DispatchOffer, "primary" | "server"> {
  /** Once it is loaded, it may answer without waiting. @default false */
  readonly answersNow?: boolean;
  /** Loads at once: there is work to do before the first use. @default false */
  readonly eager?: boolean;
  /** Closes what exists without the transport, if it was never used. */
  readonly closeUnused?: () => Promise<void>;
}

type Subscribe = NonNullable<Transport["subscribe"]>;

/**
 * A transport whose code is loaded at its first use, so that a cache can be constructed synchronously and for
 * nothing. Calls wait until the code is loaded, at most until their deadlines, and keep their order.
 *
 * @param load - Returns the transport, the same one each time: see `loadedOnce`. Called again after it has failed.
 */
export function lazyTransport(
  { eager = false, answersNow = false, closeUnused, primary, server, ...known }: LazyOptions,
  load: () => Promise<Transport>,
): Transport {
  const { name } = known;
  const offer = (answerSync: AnswerSync | undefined): DispatchOffer => ({
    ...(primary && { primary }),
    ...(server && { server }),
    ...(answersNow && answerSync && { answerSync }),
  });
  const code = new LoadedCode(name, load, (transport) => {
    // From now on trips go there directly.
    registerDispatch(lazy, dispatchOf(transport), offer(answerSyncOf(transport)));
  });
  /** A call that waits for the code has the rest of its time afterwards. */
  const dispatch: Dispatch = (trip, handler) => {
    const { ready } = code;
    if (ready) {
      dispatchOf(ready)(trip, handler);
      return;
    }
    code.use(trip.leftMs, {
      run: (transport) => dispatchOf(transport)(trip, handler),
      failed: (error) => handler.failed(error),
    });
  };

  const lazy: Transport = {
    ...known,
    send: sendThrough(dispatch, defaultTimeoutMs),
    subscribe(topics, listener, options = {}) {
      const { ready } = code;
      if (ready) return subscribeTo(ready, name, topics, listener, options);
      const { timeoutMs = defaultTimeoutMs } = options;
      const endsMs = performance.now() + timeoutMs;
      const leftMs = (): number => Math.max(1, Math.ceil(endsMs - performance.now()));
      return new Promise((resolve, reject) => {
        code.use(timeoutMs, {
          run(transport) {
            const rest = { ...options, timeoutMs: leftMs() };
            subscribeTo(transport, name, topics, listener, rest).then(resolve, reject);
          },
          failed: reject,
        });
      });
    },
    async close() {
      const transport = await code.close();
      await (transport ? transport.close() : closeUnused?.());
    },
  };
  registerDispatch(
    lazy,
    dispatch,
    offer(() => undefined),
  );
  // A failure is reported to the first call, which loads again.
  if (eager) code.start().catch(() => {});
  return lazy;
}

/** Work with the transport. `failed` is called if its code could not be loaded in time. */
interface Work {
  run(transport: Transport): void;
  failed(error: unknown): void;
}

/** `unused` → `loading` at the first use → `ready` when the code is loaded and no call waits for it any more. */
type Phase = { readonly kind: "unused" | "loading" } | { readonly kind: "ready"; readonly transport: Transport };

/** Loads the code of a transport at the first use. */
class LoadedCode {
  readonly #name: string;
  readonly #load: () => Promise<Transport>;
  readonly #onReady: (transport: Transport) => void;
  #phase: Phase = { kind: "unused" };
  #isClosed = false;
  /** How many calls wait for the code. */
  #waiting = 0;

  constructor(name: string, load: () => Promise<Transport>, onReady: (transport: Transport) => void) {
    this.#name = name;
    this.#load = load;
    this.#onReady = onReady;
  }

  /** The transport, when calls may go to it directly. */
  get ready(): Transport | undefined {
    return this.#phase.kind === "ready" ? this.#phase.transport : undefined;
  }

  start(): Promise<Transport> {
    if (this.#phase.kind === "unused") this.#phase = { kind: "loading" };
    return this.#load();
  }

  /** Runs work when the code is loaded, in the order of the calls. */
  use(timeoutMs: number, { run, failed }: Work): void {
    if (this.#isClosed) {
      failed(this.#refusal("closed", "The transport was closed"));
      return;
    }
    let isOver = false;
    /** @returns whether this is the first end of the wait; later ones are ignored. */
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      this.#waiting--;
      clearTimeout(timer);
      return true;
    };
    const late = (): void => {
      const text = `A part of the code was not loaded within ${timeoutMs} ms: check the disk that it is on`;
      if (end()) failed(this.#refusal("timeout", text));
    };
    this.#waiting++;
    const timer = timerFor(late, Math.min(timeoutMs, longestTimerMs));
    this.start().then(
      (transport) => {
        if (!end()) return;
        run(transport);
        // Waiting calls keep their order. On the edge some of them may have vanished with their requests.
        if (this.#waiting === 0 || !hasLastingTimers()) this.#becomeReady(transport);
      },
      (cause) => {
        if (end()) failed(this.#loadError(cause));
      },
    );
  }

  /** No call may use the transport any more. @returns the transport to close, if there is one. */
  async close(): Promise<Transport | undefined> {
    this.#isClosed = true;
    if (this.#phase.kind !== "loading") return this.ready;
    let transport: Transport | undefined;
    const loading = this.#load();
    const loaded = loading.then(
      (one) => {
        transport = one;
      },
      () => {},
    );
    // No call waits longer either. If the code is loaded later, the transport is closed then.
    const inTime = await settlesWithin(defaultTimeoutMs, loaded);
    if (!inTime) void loading.then((one) => one.close()).catch(() => {});
    return transport;
  }

  #becomeReady(transport: Transport): void {
    if (this.#phase.kind === "ready") return;
    this.#phase = { kind: "ready", transport };
    this.#onReady(transport);
  }

  #loadError(cause: unknown): unknown {
    if (isConfigError(cause)) return cause;
    const text = "A part of the code could not be loaded: deploy all files of the packages, then try again";
    return new TransportError("unreachable", text, { transport: this.#name, delivery: "none", cause });
  }

  #refusal(kind: "closed" | "timeout", text: string): TransportError {
    return new TransportError(kind, text, { transport: this.#name, delivery: "none" });
  }
}

async function subscribeTo(transport: Transport, name: string, ...asked: Parameters<Subscribe>): Promise<Subscription> {
  if (transport.subscribe) return transport.subscribe(...asked);
  throw new TransportError("protocol", "This backend can't listen", { transport: name, delivery: "none" });
}

/** A timer; `undefined` before the first request of a Worker, which may set none: there all code is loaded already. */
function timerFor(callback: () => void, ms: number): ReturnType<typeof setTimeout> | undefined {
  try {
    return setTimeout(callback, ms);
  } catch {
    return undefined;
  }
}
