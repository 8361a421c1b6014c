import {
  type BackendStatus,
  type Clock,
  type Command,
  type Reply,
  type SendOptions,
  type Transport,
  TransportError,
} from "@continuum-cache/core";
import {
  type AnswerSync,
  assertOptions,
  createWorkBudget,
  type Dispatch,
  functionOption,
  registerDispatch,
  settleInto,
  systemClock,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import { createChannels } from "./commands/channels.ts";
import { createEngine, type Engine } from "./engine.ts";
import type { AppliedWrite } from "./replication/canonical-write.ts";

/** The bounds of the memory. */
export interface MemoryOptions {
  /**
   * The most bytes that it holds. It counts what the process really spends: keys and values in UTF-8, and besides 352
   * bytes for each key, 128 for a hash and 160 for each of its fields, 64 for a list and 32 for each of its elements,
   * 192 for a stream, 288 for each of its entries and 32 for each field name and value there, 600 for each of its
   * groups, 384 for each consumer and 160 for each entry that was delivered and not acknowledged, 192 for a value
   * that is no text. Beyond it the least recently used keys are evicted. (A text that is mostly ASCII but not Latin-1
   * throughout takes the engine up to twice its UTF-8.) @default 67108864 (64 MiB)
   */
  readonly maxBytes?: number;
  /** The most keys that it holds. @default no limit except `maxBytes` */
  readonly maxEntries?: number;
  /** The clock. @default systemClock */
  readonly clock?: Clock;
  /**
   * Computes the digest that DIGEST, IFDEQ and IFDNE use: XXH3 with 64 bits in Redis, in 16 hexadecimal digits.
   * @default none: these commands are refused
   */
  readonly digest?: (value: string | Uint8Array) => string;
}

/** A transport on the memory of this process. */
export interface MemoryTransport extends Transport {
  subscribe: NonNullable<Transport["subscribe"]>;
  /**
   * Calls a listener with each write as it takes effect, in order and in the middle of its trip; with those of a
   * script one by one. The listener must not throw. Returns the function that stops it.
   */
  onWrite(listener: (write: AppliedWrite) => void): () => void;
  /**
   * Removes the keys that match a glob without a call of the listeners, in slices, so that a large memory delays
   * nothing else. Keys that are written meanwhile stay.
   */
  forget(glob: string): Promise<void>;
}

const name = "memory";

/**
 * Redis' commands on the memory of this process: a local cache, or the memory of `withFallback`. It answers as Redis
 * 7 does, never holds more than `maxBytes`, and expires keys to the millisecond without a timer.
 *
 * Differences from Redis: scripts run by their TypeScript face (`defineScript`), so a Lua text that this process has
 * not defined is refused; a value that alone is larger than `maxBytes` is refused with Redis' OOM error; XREAD and
 * XREADGROUP never wait, and refuse BLOCK; `MAXLEN ~` is exact; a key is gone in the millisecond of its expiry, in
 * which Redis still has it.
 *
 * @throws ConfigError when an option is out of its range, or does not exist.
 *
 * @example
 * ```ts
 * import { memoryTransport } from "@continuum-cache/transport-memory";
 *
 * const memory = memoryTransport({ maxBytes: 8 << 20 });
 * await memory.send([["SET", "greeting", "hello", "EX", 60]]); // ["OK"]
 * await memory.send([["GET", "greeting"], ["STRLEN", "greeting"]]); // ["hello", 5]
 * ```
 */
export function memoryTransport(options: MemoryOptions = {}): MemoryTransport {
  assertOptions("memoryTransport", options, { maxBytes: true, maxEntries: true, clock: true, digest: true });
  const { maxEntries, clock = systemClock } = options;
  const digest = functionOption("digest", options.digest);
  const maxBytes = wholeNumberOption("maxBytes", options.maxBytes ?? 64 << 20);
  if (maxEntries !== undefined) wholeNumberOption("maxEntries", maxEntries);
  const channels = createChannels();
  const listeners = new Set<(write: AppliedWrite) => void>();
  const onWrite = (write: AppliedWrite): void => {
    for (const listener of listeners) listener(write);
  };
  const bounds = { maxBytes, ...(maxEntries !== undefined && { maxEntries }) };
  const engine = createEngine({ ...bounds, clock, channels, digest, onWrite });
  const walks = createWorkBudget();
  let isClosed = false;

  const assertOpen = (signal: AbortSignal | undefined): void => {
    if (isClosed) throw closedError();
    assertWanted(signal, "none");
  };

  /** The commands run as a whole, in the order of the calls. @throws TransportError as `send` rejects. */
  const answer = (commands: readonly Command[], sendOptions: SendOptions): Reply[] => {
    assertOpen(sendOptions.signal);
    return run(engine, commands, sendOptions);
  };

  /** Waits, after the commands have run, for what the options ask for. */
  const finish = async (replies: Reply[], startedMs: number, sendOptions: SendOptions): Promise<Reply[]> => {
    const { signal, invalidates } = sendOptions;
    // A scan of all keys is many trips, which would follow each other without a pause.
    if (invalidates?.length) await walks.yieldIfSpent(startedMs);
    if (signal) {
      // A caller that aborts in the same tick gets the error, as over a network.
      await Promise.resolve();
      assertWanted(signal, "unknown");
    }
    return replies;
  };

  const answerSync: AnswerSync = (commands, sendOptions) =>
    isOverAtOnce(sendOptions) ? answer(commands, sendOptions) : undefined;

  const send: Transport["send"] = (commands, sendOptions = {}) => {
    try {
      const replies = answerSync(commands, sendOptions);
      if (replies) return Promise.resolve(replies);
      const startedMs = performance.now();
      return finish(answer(commands, sendOptions), startedMs, sendOptions);
    } catch (error) {
      return Promise.reject(error);
    }
  };

  const dispatch: Dispatch = ({ commands, options: sendOptions }, handler) => {
    let replies: Reply[] | undefined;
    try {
      replies = answerSync(commands, sendOptions);
    } catch (error) {
      handler.failed(error);
      return;
    }
    if (replies) handler.answered(replies);
    else settleInto(handler, () => send(commands, sendOptions));
  };

  const transport: MemoryTransport = {
    name,
    send,
    async subscribe(topics, listener, callOptions) {
      assertOpen(callOptions?.signal);
      if (!topics.channels?.length && !topics.patterns?.length) {
        throw new RangeError("Expected at least one channel or pattern to listen to, got none");
      }
      const hearing = channels.listen(topics, listener);
      return {
        async add(more, changeOptions) {
          if (!hearing.isOpen) throw closedError();
          assertWanted(changeOptions?.signal, "none");
          hearing.add(more);
        },
        async remove(less, changeOptions) {
          assertWanted(changeOptions?.signal, "none");
          hearing.remove(less);
        },
        close: async () => hearing.stop(),
      };
    },
    onWrite(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    forget: (glob) => engine.forget(glob),
    status: localForEver,
    async close() {
      if (isClosed) return;
      isClosed = true;
      channels.interrupt(closedError());
    },
  };
  return registerDispatch(transport, dispatch, { answerSync });
}

/**
 * Whether nothing is left to wait for when the commands have run: no signal, no scan to pause after.
 */
const isOverAtOnce = ({ signal, invalidates }: SendOptions): boolean => !signal && !invalidates?.length;

const localForEver: BackendStatus = { currentBackend: "local", pending: 0, onChange: () => () => {} };

function run(engine: Engine, commands: readonly Command[], { atomic }: SendOptions): Reply[] {
  try {
    return engine.run(commands, atomic === true);
  } catch (cause) {
    // Only invalid commands get here, before anything has run.
    const message = cause instanceof TypeError ? cause.message : "The commands could not be read";
    throw new TransportError("protocol", message, { transport: name, delivery: "none", cause });
  }
}

function assertWanted(signal: AbortSignal | undefined, delivery: "none" | "unknown"): void {
  if (!signal?.aborted) return;
  const details = { transport: name, delivery, cause: signal.reason };
  throw new TransportError("aborted", "The call was aborted by its signal", details);
}

const closedError = (): TransportError =>
  new TransportError("closed", "The transport was closed", { transport: name, delivery: "none" });
