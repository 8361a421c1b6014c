import { isCommandError } from "../errors/command-error.ts";
import type { Events } from "../ports/events.ts";
import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import type { CacheEvents } from "./cache-events.ts";
import type { StatsRecorder } from "./cache-stats.ts";
import type { Request } from "./requests.ts";
import type { Tick } from "./tick.ts";

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

/** A call that takes longer than this is told by a `slow` event, in milliseconds. */
const slowMs = 500;

export function createCalls(tick: Tick, events: Events<CacheEvents>, stats: StatsRecorder): Calls {
  const measured = async <Result>(operation: string, run: () => Promise<Result>): Promise<Result> => {
    const startedAt = performance.now();
    try {
      return await run();
    } catch (error) {
      stats.count("errors");
      throw error;
    } finally {
      const durationMs = performance.now() - startedAt;
      stats.duration(durationMs);
      if (durationMs > slowMs) events.emit("slow", { operation, durationMs });
    }
  };
  const answered = <Result>(request: Request<Result>, trip: Promise<Reply[]> | undefined): Promise<Result> =>
    measured(request.operation, async () => request.read(...((await trip) ?? [])));

  return {
    one: (request, options) =>
      answered(request, request.commands.length > 0 ? tick.send(request.commands, options) : undefined),
    read: (request, options) => answered(request, tick.read(String(request.commands[0]?.[1]), options)),
    batch: (operation, requests, options) =>
      measured(operation, async () => {
        const commands = requests.flatMap((request) => request.commands);
        const replies = commands.length > 0 ? await tick.send(commands, options) : [];
        let at = 0;
        return requests.map((request) => {
          const own = replies.slice(at, at + request.commands.length);
          at += request.commands.length;
          return settle(request, own);
        });
      }),
    raw: (operation, commands, options) => measured(operation, () => tick.send(commands, options)),
  };
}

function settle(request: Request<unknown>, replies: readonly Reply[]): PromiseSettledResult<unknown> {
  const refused = replies.find(isCommandError);
  if (refused) return { status: "rejected", reason: refused };
  try {
    return { status: "fulfilled", value: request.read(...replies) };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}
