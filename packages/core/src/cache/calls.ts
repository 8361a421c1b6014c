import { isWrite } from "../commands/command-table.ts";
import { isCommandError } from "../errors/command-error.ts";
import type { Events } from "../ports/events.ts";
import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import type { Batcher } from "./batcher.ts";
import type { CacheEvents } from "./cache-events.ts";
import type { StatsRecorder } from "./cache-stats.ts";
import { Call } from "./call.ts";
import type { Request } from "./requests.ts";
import type { WriteObserver } from "./write-observer.ts";

/** Runs requests and keeps the books: every call is timed, and a failed one counted. */
export interface Calls {
  /** Sends a request's commands. What `prepare` throws rejects. */
  one<Result>(prepare: () => PreparedCall<Result>): Promise<Result>;
  /** The same for a read of one string, which shares the tick's MGET. */
  read<Result>(prepare: () => PreparedCall<Result>): Promise<Result>;
}

/** What to send, and what the caller asks of its round trip. */
export type PreparedCall<Result> = readonly [request: Request<Result>, options: SendOptions];

/** What calls are made of. */
export interface CallsParts {
  /** The transport's name. */
  readonly transport: string;
  readonly batcher: Batcher;
  readonly events: Events<CacheEvents>;
  readonly stats: StatsRecorder;
  /** @throws TransportError once the cache is closed. */
  assertOpen(): void;
  /** Told of commands before they are sent. */
  onSend(commands: readonly Command[]): void;
  /** Told of what was written, before the call resolves. */
  readonly observer?: WriteObserver;
}

/** A call that takes longer than this is told by a `slow` event, in milliseconds. */
const slowMs = 500;

export function createCalls(parts: CallsParts): Calls {
  const { transport, batcher, events, stats, assertOpen, onSend, observer } = parts;

  /** The promise of a call, which `board` puts into a batch. */
  const begin = <Result>(
    prepare: () => PreparedCall<Result>,
    board: (request: Request<Result>, options: SendOptions, call: Call<Result>) => void,
  ): Promise<Result> =>
    new Promise((resolve, reject) => {
      const [request, options] = prepare();
      const startedMs = performance.now();
      const onEnd = (isFailure: boolean): void => {
        if (isFailure) stats.count("errors");
        const durationMs = performance.now() - startedMs;
        stats.duration(durationMs);
        if (durationMs > slowMs) events.emit("slow", { operation: request.operation, durationMs });
      };
      const call = new Call<Result>(request, { signal: options.signal, transport }, { resolve, reject }, onEnd);
      try {
        board(request, options, call);
      } catch (error) {
        call.failed(error);
      }
    });

  const sent = <Result>(prepare: () => PreparedCall<Result>): Promise<Result> =>
    begin(prepare, ({ commands }, options, call) => {
      // Without a command there is nothing to wait for: the value was skipped.
      if (commands.length === 0) return call.answered([], 0);
      assertOpen();
      onSend(commands);
      batcher.send(commands, options, call);
    });

  const observed = async <Result>(prepare: () => PreparedCall<Result>, observe: WriteObserver): Promise<Result> => {
    const [request, options] = prepare();
    const { operation, commands } = request;
    const replies = await sent(() => [raw(operation, commands), options]);
    try {
      if (options.invalidates || commands.some(isWrite)) await observe(commands, replies, options);
      return request.read(replies, 0);
    } catch (error) {
      stats.count("errors");
      throw error;
    }
  };

  return {
    one: (prepare) => (observer ? observed(prepare, observer) : sent(prepare)),
    read: (prepare) =>
      begin(prepare, ({ commands }, options, call) => {
        assertOpen();
        batcher.read(String(commands[0]?.[1]), options, call);
      }),
  };
}

/** Commands whose replies the caller reads itself. */
export function raw(operation: string, commands: readonly Command[]): Request<Reply[]> {
  return { operation, commands, read: (replies, at) => replies.slice(at, at + commands.length) };
}

/** Several requests in one trip, each settled by itself. Those without a command send nothing. */
export function together(
  operation: string,
  requests: readonly Request<unknown>[],
): Request<PromiseSettledResult<unknown>[]> {
  return {
    operation,
    commands: requests.flatMap((request) => request.commands),
    read(replies, from) {
      let at = from;
      return requests.map((request) => {
        const outcome = settle(request, replies, at);
        at += request.commands.length;
        return outcome;
      });
    },
  };
}

function settle(request: Request<unknown>, replies: readonly Reply[], at: number): PromiseSettledResult<unknown> {
  const refused = replies.slice(at, at + request.commands.length).find(isCommandError);
  if (refused) return { status: "rejected", reason: refused };
  try {
    return { status: "fulfilled", value: request.read(replies, at) };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}
