import type { Command, Events } from "@continuum-cache/core";
import { serverTimeMs, toError, toMessageText, unwrap } from "@continuum-cache/core/kit";
import { createNotifier } from "../shared/notifier.ts";
import { createPrimaryClient, type PrimaryCallOptions, type PrimaryClient } from "../shared/primary-client.ts";
import { type Cursors, createCursors } from "./cursors.ts";
import { follow } from "./follow.ts";
import { createHybridClock } from "./hybrid-clock.ts";
import { createProducer, type Producer } from "./producer.ts";
import { isHeldAt, readRegistry } from "./registry.ts";
import type { LogSettings } from "./settings.ts";
import { readStreamInfo } from "./stream.ts";
import type { FollowOptions, LogEntry, LogEvents, LogStats, OriginStats } from "./types.ts";

/** A log's parts, put together. */
export interface LogParts<Event> extends Pick<Producer, "lease" | "appender"> {
  readonly settings: LogSettings;
  readonly link: PrimaryClient;
  readonly cursors: Cursors;
  /** @throws RangeError or CodecError when the event is too large or cannot be encoded. */
  encode(event: Event): string;
  follow(options: FollowOptions): AsyncIterableIterator<LogEntry<Event>>;
  close(): Promise<void>;
}

export function createLogParts<Event>(settings: LogSettings, emit: Events<LogEvents>["emit"]): LogParts<Event> {
  const { transport, keys, instanceId, timeoutMs, codec, maxEventBytes } = settings;
  const link = createPrimaryClient(transport, timeoutMs);
  const clock = createHybridClock();
  const closing = new AbortController();

  const failed = (operation: string, error: unknown): void => emit("error", { operation, error: toError(error) });
  const notifier = createNotifier(transport, settings.channel, timeoutMs, (error) => failed("listen", error));
  const cursors = createCursors(link, keys.cursors(instanceId), (error) => failed("commit", error));
  const { lease, appender, listen } = createProducer(link, settings, clock, notifier, emit, failed);

  const context = {
    link,
    settings,
    lease,
    clock,
    cursors,
    closing: closing.signal,
    listen,
    isHeard: () => notifier.isListening,
    failed,
    missed(gap: LogEvents["gap"]) {
      if (gap.reason === "reset") emit("reset", { origin: gap.origin });
      emit("gap", gap);
    },
  };

  return {
    settings,
    link,
    lease,
    appender,
    cursors,
    encode(event) {
      const text = toMessageText(codec.encode(event));
      const bytes = new TextEncoder().encode(text).length;
      if (bytes <= maxEventBytes) return text;
      throw new RangeError(
        `Expected an event of at most ${maxEventBytes} bytes, got ${bytes}; append less, or raise \`maxEventBytes\``,
      );
    },
    follow: (options) => follow<Event>(context, options),
    async close() {
      closing.abort();
      await lease.renewWithin(timeoutMs);
      const left = await appender.close(timeoutMs);
      if (left > 0) failed("close", new Error(`${left} appends that waited are lost: Redis did not take them in time`));
      await cursors.flush();
      const wasHeld = lease.isHeld;
      await lease.close();
      // A process that waits for the name tries at once.
      if (wasHeld) notifier.notify(instanceId);
      await notifier.close();
    },
  };
}

/** Two round trips: which origins there are, then each of their streams. @throws TransportError when no reply came. */
export async function readLogStats<Event>(
  { link, settings, cursors, appender, lease }: LogParts<Event>,
  options: PrimaryCallOptions,
): Promise<LogStats> {
  const { keys, instanceId } = settings;
  const [time, registry, stored] = await link.send(
    [["TIME"], ["HGETALL", keys.registry], ["HGETALL", keys.cursors(instanceId)]],
    options,
  );
  const nowMs = serverTimeMs(unwrap(time));
  const rows = [...readRegistry(unwrap(registry))];
  cursors.load(unwrap(stored));
  const infos = await link.send(
    rows.map(([origin]): Command => ["XINFO", "STREAM", keys.stream(origin)]),
    options,
  );
  const origins = rows.map(([origin, registered], at): [string, OriginStats] => {
    const { length, last } = readStreamInfo(infos[at]);
    const seq = cursors.get(origin)?.seq ?? 0;
    return [
      origin,
      {
        length,
        lastSeq: last.seq,
        lastAtMs: last.atMs,
        behind: origin === instanceId ? 0 : Math.max(0, last.seq - seq),
        isHeld: isHeldAt(registered, nowMs),
      },
    ];
  });
  return { pending: appender.pending, isHolder: lease.isHeld, origins: Object.fromEntries(origins) };
}
