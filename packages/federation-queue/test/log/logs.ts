import type { Closable } from "@continuum-cache/conformance/servers";
import { vi } from "vitest";
import { SyncLog } from "../../src/log/sync-log.ts";
import type { FollowOptions, LogEntry, LogGap, SyncLogOptions } from "../../src/log/types.ts";
import type { Backend } from "../queue/backends.ts";

export { all, closing, memory, rest, servers, tcp } from "../queue/backends.ts";

let count = 0;

const patiently = { timeout: 60_000, interval: 20 };

/** A server, and logs on it as if each ran in its own process. */
export async function logsOn<Event = unknown>(backend: Backend, opened: <T extends Closable>(one: T) => T) {
  const server = opened(await backend.open());
  const key = `log-${++count}`;
  const open = (instanceId: string, options: Partial<SyncLogOptions> = {}): SyncLog<Event> =>
    opened(new SyncLog<Event>({ transport: server.connect() }, { instanceId, key, ...options }));
  return { ...server, key, open };
}

/** A loop that follows a log and records what it gets. */
export interface Following<Event> extends Closable {
  readonly entries: LogEntry<Event>[];
  /** As "origin:seq", gaps in between as "origin:from..to reason". */
  readonly seen: string[];
  readonly gaps: LogGap[];
  /** The error that ended the loop. */
  error: unknown;
  stop(): Promise<void>;
}

/** Follows until it is stopped, and commits each entry unless `commits` is false. */
export function following<Event>(
  log: SyncLog<Event>,
  options: FollowOptions & { readonly commits?: boolean } = {},
): Following<Event> {
  const { commits = true, ...rest } = options;
  const ending = new AbortController();
  const entries: LogEntry<Event>[] = [];
  const gaps: LogGap[] = [];
  const seen: string[] = [];
  const result: Following<Event> = {
    entries,
    seen,
    gaps,
    error: undefined,
    async stop() {
      ending.abort();
      await running;
    },
    close: () => result.stop(),
  };
  const run = async (): Promise<void> => {
    try {
      const resync = async (gap: LogGap): Promise<void> => {
        gaps.push(gap);
        await rest.resync?.(gap);
        seen.push(`${gap.origin}:${gap.fromSeq}..${gap.toSeq} ${gap.reason}`);
      };
      for await (const entry of log.follow({ signal: ending.signal, ...rest, resync })) {
        entries.push(entry);
        seen.push(`${entry.origin}:${entry.seq}`);
        if (commits) await entry.commit();
      }
    } catch (error) {
      result.error = error;
    }
  };
  const running = run();
  return result;
}

/** "a:1", "a:2", … */
export const named = (origin: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `${origin}:${from + at}`);

export const waitFor = <T>(check: () => T): Promise<T extends Promise<infer R> ? R : T> =>
  vi.waitFor(check, patiently) as never;
