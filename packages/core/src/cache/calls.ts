import { isWrite } from "../commands/command-table.ts";
import { isCommandError } from "../errors/command-error.ts";
import type { Events } from "../ports/events.ts";
import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import type { Batcher } from "./batcher.ts";
import type { CacheEvents } from "./cache-events.ts";
import type { StatsRecorder } from "./cache-stats.ts";
import { Call, type ReplyReader } from "./call.ts";
import type { Request } from "./requests.ts";
import type { WriteObserver } from "./write-observer.ts";

/** Runs requests and keeps the books: every call is timed, and a failed one counted. */
export interface Calls {
  one<Result>(request: Request<Result>, options: SendOptions): Promise<Result>;
  /** The same for reads of one string, which share the tick's MGET. */
  read<Result>(request: Request<Result>, options: SendOptions): Promise<Result>;
  /** Several requests in one trip, each settled by itself. Those without a command send nothing. */
  batch(
    operation: string,
    requests: readonly Request<unknown>[],
    options: SendOptions,
  ): Promise<PromiseSettledResult<unknown>[]>;
  /** Commands whose replies the caller reads itself. */
  raw(operation: string, commands: readonly Command[], options: SendOptions): Promise<Reply[]>;
}

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
    operation: string,
    reader: ReplyReader<Result>,
    signal: AbortSignal | undefined,
    board: (call: Call<Result>) => void,
  ): Promise<Result> => {
    const startedMs = performance.now();
    const onEnd = (isFailure: boolean): void => {
      if (isFailure) stats.count("errors");
      const durationMs = performance.now() - startedMs;
      stats.duration(durationMs);
      if (durationMs > slowMs) events.emit("slow", { operation, durationMs });
    };
    return new Promise((resolve, reject) => {
      const call = new Call<Result>(reader, { signal, transport }, { resolve, reject }, onEnd);
      try {
        board(call);
      } catch (error) {
        call.failed(error);
      }
    });
  };

  const sent = <Result>(
    operation: string,
    commands: readonly Command[],
    reader: ReplyReader<Result>,
    options: SendOptions,
  ): Promise<Result> =>
    begin(operation, reader, options.signal, (call) => {
      // Without a command there is nothing to wait for: the value was skipped.
      if (commands.length === 0) return call.answered([], 0);
      assertOpen();
      onSend(commands);
      batcher.send(commands, options, call);
    });

  const observed = async <Result>(
    operation: string,
    commands: readonly Command[],
    reader: ReplyReader<Result>,
    options: SendOptions,
    observe: WriteObserver,
  ): Promise<Result> => {
    const replies = await sent(operation, commands, allOf(commands), options);
    try {
      if (options.invalidates || commands.some(isWrite)) await observe(commands, replies, options);
      return reader.read(replies, 0);
    } catch (error) {
      stats.count("errors");
      throw error;
    }
  };

  const send: typeof sent = (operation, commands, reader, options) =>
    observer ? observed(operation, commands, reader, options, observer) : sent(operation, commands, reader, options);

  return {
    one: (request, options) => send(request.operation, request.commands, request, options),
    read: (request, options) =>
      begin(request.operation, request, options.signal, (call) => {
        assertOpen();
        batcher.read(String(request.commands[0]?.[1]), options, call);
      }),
    batch(operation, requests, options) {
      const commands = requests.flatMap((request) => request.commands);
      const reader: ReplyReader<PromiseSettledResult<unknown>[]> = {
        read(replies, from) {
          let at = from;
          return requests.map((request) => {
            const own = settle(request, replies, at);
            at += request.commands.length;
            return own;
          });
        },
      };
      return send(operation, commands, reader, options);
    },
    raw: (operation, commands, options) => send(operation, commands, allOf(commands), options),
  };
}

/** Hands out all replies to some commands as they are. */
const allOf = ({ length }: readonly Command[]): ReplyReader<Reply[]> => ({
  read: (replies, at) => replies.slice(at, at + length),
});

function settle(request: Request<unknown>, replies: readonly Reply[], at: number): PromiseSettledResult<unknown> {
  const refused = replies.slice(at, at + request.commands.length).find(isCommandError);
  if (refused) return { status: "rejected", reason: refused };
  try {
    return { status: "fulfilled", value: request.read(replies, at) };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}
