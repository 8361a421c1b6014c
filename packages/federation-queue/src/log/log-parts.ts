import type { Events } from "@continuum-cache/core";
import { toError, toMessageText } from "@continuum-cache/core/kit";
import { createNotifier } from "../shared/notifier.ts";
import { createPrimaryClient, type PrimaryClient } from "../shared/primary-client.ts";
import { type Cursors, createCursors } from "./cursors.ts";
import { follow } from "./follow.ts";
import { createHybridClock } from "./hybrid-clock.ts";
import { createProducer, type Producer } from "./producer.ts";
import type { LogSettings } from "./settings.ts";
import type { FollowOptions, LogEntry, LogEvents } from "./types.ts";

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
