import type { Events } from "@continuum-cache/core";
import { createTurns, errorOf, toMessageText } from "@continuum-cache/core/kit";
import { createDoorbell } from "../shared/doorbell/doorbell.ts";
import { createPrimaryClient, type PrimaryClient } from "../shared/primary-client.ts";
import { type Appender, createAppender } from "./appender.ts";
import { type Cursors, createCursors } from "./cursors.ts";
import { findArrived } from "./find-arrived.ts";
import { findLast } from "./find-last.ts";
import { follow } from "./follow.ts";
import { createHybridClock } from "./hybrid-clock.ts";
import { createName, type Name } from "./name.ts";
import type { FollowOptions } from "./options.ts";
import { createOwnHistory } from "./own-history.ts";
import type { LogSettings } from "./settings.ts";
import type { StreamId } from "./stream-id.ts";
import type { LogEntry, LogEvents } from "./types.ts";

/** A log's parts, put together. */
export interface LogParts<Event> {
  readonly settings: LogSettings;
  readonly link: PrimaryClient;
  readonly name: Name;
  readonly appender: Appender;
  readonly cursors: Cursors;
  /** @throws RangeError or CodecError when the event is too large or can't be written. */
  write(event: Event): string;
  follow(options: FollowOptions): AsyncIterableIterator<LogEntry<Event>>;
  close(): Promise<void>;
}

export function createLogParts<Event>(settings: LogSettings, emit: Events<LogEvents>["emit"]): LogParts<Event> {
  const { transport, keys, instanceId, timeoutMs, codec, maxEventBytes } = settings;
  const link = createPrimaryClient(transport, timeoutMs);
  const clock = createHybridClock();
  const turns = createTurns();
  const history = createOwnHistory(settings.repair, clock);
  const closing = new AbortController();
  let isNew = true;
  /** Events that a failover has lost and nobody remembers, not told yet. */
  let lost = 0;
  let stopWaiting: (() => void) | undefined;

  const failed = (operation: string, error: unknown): void => emit("error", { operation, error: errorOf(error) });
  const doorbell = createDoorbell(transport, settings.channel, timeoutMs, (error) => failed("listen", error));
  const cursors = createCursors(link, keys.cursors(instanceId), (error) => failed("commit", error));

  const restart = (last: StreamId, streamLast: StreamId): void => {
    lost += appender.takeBack(history.restart(last, streamLast));
    tellLost();
  };
  const tellLost = (): void => {
    if (lost > 0) emit("repaired", { count: 0, lost });
    lost = 0;
  };

  /** Compares what this process remembers with what the server has, and sees to it that what is missing is sent again. */
  const compare = (streamLast: StreamId): void => {
    const found = history.reconcile(streamLast);
    lost += found.lost;
    if (found.arrived > 0) appender.accept(found.arrived);
    if (found.isForeign) {
      failed(
        "append",
        new Error(`Somebody else has written to the stream of "${instanceId}"; numbers go on behind it`),
      );
      restart({ atMs: streamLast.atMs, seq: Math.max(streamLast.seq, history.base.seq) }, streamLast);
    }
    if (!history.numbered.some(({ isRepeat }) => isRepeat)) tellLost();
    appender.stir();
  };

  const name = createName(link, settings, clock, turns, {
    get last() {
      return history.last;
    },
    async taken({ streamLast, registryLast }, continuity) {
      stopWaiting?.();
      stopWaiting = undefined;
      if (!isNew && continuity === "own") return compare(streamLast);
      const isGone = streamLast.seq < registryLast.seq;
      const last = isGone ? await findLast(link, keys, instanceId, registryLast) : streamLast;
      const arrived = await findArrived(link, keys.stream(instanceId), history.numbered);
      if (arrived > 0) appender.accept(arrived);
      restart(last, streamLast);
      isNew = false;
    },
    waits() {
      // Whoever gives the name back rings.
      stopWaiting ??= listen(() => {});
    },
    heldOn: compare,
    failed: (error) => failed("hold", error),
  });

  const appender: Appender = createAppender(link, settings, clock, turns, name, history, {
    appended: () => doorbell.ring(instanceId),
    kept: (pending) => emit("kept", { pending }),
    repaired(count) {
      emit("repaired", { count, lost });
      lost = 0;
    },
    behind: compare,
    failed: (error) => failed("append", error),
  });

  const listen = (onRing: (origins: readonly string[]) => void): (() => void) =>
    doorbell.listen((origins) => {
      // The stream broke or is back: the server may be another one, which has not all that it had accepted.
      if (origins.length === 0) name.suspect();
      const isFreed = !name.isHeld && origins.includes(instanceId);
      if (isFreed) name.stir();
      if (isFreed || origins.length === 0) appender.stir();
      onRing(origins);
    });

  return {
    settings,
    link,
    name,
    appender,
    cursors,
    write(event) {
      const text = toMessageText(codec.encode(event));
      const bytes = new TextEncoder().encode(text).length;
      if (bytes <= maxEventBytes) return text;
      throw new RangeError(
        `Expected an event of at most ${maxEventBytes} bytes, got ${bytes}; append less, or raise \`maxEventBytes\``,
      );
    },
    follow: (options) =>
      follow<Event>(
        {
          link,
          settings,
          name,
          clock,
          cursors,
          closing: closing.signal,
          listen,
          isHeard: () => doorbell.isHeard,
          failed,
          missed(gap) {
            if (gap.reason === "reset") emit("reset", { origin: gap.origin });
            emit("gap", gap);
          },
        },
        options,
      ),
    async close() {
      closing.abort();
      await name.confirm(timeoutMs);
      const left = await appender.close(timeoutMs);
      if (left > 0) failed("close", new Error(`${left} appends that waited are lost: Redis did not take them in time`));
      await cursors.flush();
      const wasHeld = name.isHeld;
      await name.close();
      // Who waits for the name looks at once.
      if (wasHeld) doorbell.ring(instanceId);
      await doorbell.close();
    },
  };
}
