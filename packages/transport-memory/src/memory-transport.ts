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
  registerDispatch,
  settleInto,
  systemClock,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import { createChannels } from "./commands/channels.ts";
import { createEngine, type Engine } from "./engine.ts";
import type { AcceptedWrite } from "./replication/accepted-write.ts";

/** How much the memory may hold. */
export interface MemoryOptions {
  /**
   * The most it holds, in bytes, which counts what the process really spends: keys and values in UTF-8, and besides 352
   * bytes for each key, 128 for a hash and 160 for each of its fields, 64 for a list and 32 for each of its elements, 192
   * for a stream, 288 for each of its entries and 32 for each field name and value there, 600 for each of its groups, 384
   * for each consumer and 160 for each entry that was delivered and not acknowledged, 192 for a value that is no text.
   * Beyond it the least recently used keys go. (A text that is mostly ASCII but not Latin-1 throughout takes the engine up
   * to twice its UTF-8.) @default 67108864 (64 MiB)
   */
  readonly maxBytes?: number;
  /** The most keys it holds. @default no limit but `maxBytes` */
  readonly maxEntries?: number;
  /** What time it is. @default systemClock */
  readonly clock?: Clock;
}

/** A transport on the memory of this process. */
export interface MemoryTransport extends Transport {
  subscribe: NonNullable<Transport["subscribe"]>;
  /**
   * Tells of each write that was accepted, in order and in the middle of its trip; those of a script one by one. The
   * listener must not throw. Returns the function that stops it.
   */
  onWrite(listener: (write: AcceptedWrite) => void): () => void;
  /**
   * Forgets the keys that match a glob and tells no listener of it, in slices, so that a large memory holds nothing else up. What
   * is written meanwhile stays.
   */
  forget(glob: string): Promise<void>;
}

const name = "memory";

/**
 * Redis' commands on the memory of this process: the local backend, and the stand-in behind `withFallback`. It answers
 * as Redis 7 does, never holds more than `maxBytes`, and keeps times to live to the millisecond without a timer.
 *
 * It differs from Redis in this: scripts run by their TypeScript face (`defineScript`), so a Lua text that this process
 * has not defined is refused; a value that alone is larger than `maxBytes` is refused with Redis' OOM error; XREAD and
 * XREADGROUP never wait, and refuse BLOCK; `MAXLEN ~` is heeded exactly; a key is gone the very millisecond its time is
 * up, where Redis keeps it for that one more.
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
  assertOptions("memoryTransport", options, { maxBytes: true, maxEntries: true, clock: true });
  const { maxEntries, clock = systemClock } = options;
  const maxBytes = wholeNumberOption("maxBytes", options.maxBytes ?? 64 << 20);
  if (maxEntries !== undefined) wholeNumberOption("maxEntries", maxEntries);
  const channels = createChannels();
  const listeners = new Set<(write: AcceptedWrite) => void>();
  const onWrite = (write: AcceptedWrite): void => {
    for (const listener of listeners) listener(write);
  };
  const engine = createEngine({ maxBytes, ...(maxEntries !== undefined && { maxEntries }), clock, channels, onWrite });
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

  /** What is left to wait for when the replies are there. */
  const finish = async (replies: Reply[], startedMs: number, sendOptions: SendOptions): Promise<Reply[]> => {
    const { signal, invalidates } = sendOptions;
    // A walk over all keys is many trips, and each would follow the one before without a pause.
    if (invalidates?.length) await walks.yieldIfSpent(startedMs);
    if (signal) {
      // The answer is there, but a caller that ends the call in the same tick has ended it, as over any network.
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

/** Whether nothing is left to wait for when the commands have run: no signal to heed, no walk over all keys to pause after. */
const isOverAtOnce = ({ signal, invalidates }: SendOptions): boolean => !signal && !invalidates?.length;

const localForEver: BackendStatus = { currentBackend: "local", pending: 0, onChange: () => () => {} };

function run(engine: Engine, commands: readonly Command[], { atomic }: SendOptions): Reply[] {
  try {
    return engine.run(commands, atomic === true);
  } catch (cause) {
    // Only what is no command at all gets here, before anything has run.
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
