import type { Command, Events } from "@continuum-cache/core";
import {
  assertOptions,
  closedError,
  createEvents,
  serverTimeMs,
  toError,
  toMessageText,
  toSendOptions,
  unwrap,
} from "@continuum-cache/core/kit";
import { createNotifier } from "../shared/notifier.ts";
import { type FederationBackend, knownCall, type LogCallOptions } from "../shared/options.ts";
import { createPrimaryClient, type PrimaryCallOptions } from "../shared/primary-client.ts";
import { createCursors } from "./cursors.ts";
import { follow } from "./follow.ts";
import { createHybridClock } from "./hybrid-clock.ts";
import { createProducer } from "./producer.ts";
import { isHeldAt, readRegistry } from "./registry.ts";
import { knownAppend, type LogSettings, readLogSettings } from "./settings.ts";
import { readStreamInfo } from "./stream.ts";
import type {
  Appended,
  AppendOptions,
  FollowOptions,
  LogEntry,
  LogEvents,
  LogStats,
  OriginStats,
  SyncLogOptions,
} from "./types.ts";

/**
 * A log that every instance reads: each event reaches every other instance, in the order of its origin. A reader
 * resumes where it left off, and missed events are counted and reported. For work that only one instance does use
 * `FederationQueue`.
 *
 * Each instance appends under its own name, which it holds by a lease, so that its events are numbered without a hole.
 * Events are delivered at least once: an event that was not committed is delivered again after a restart.
 *
 * @example
 * ```ts
 * import { SyncLog } from "@continuum-cache/federation-queue";
 * import { tcpTransport } from "@continuum-cache/transport-tcp";
 *
 * const transport = tcpTransport({ url: "redis://127.0.0.1:6379" });
 * const log = new SyncLog<{ readonly changed: string }>({ transport }, { instanceId: "eu-2" });
 *
 * await log.append({ changed: "concept:7" });
 * const signal = AbortSignal.timeout(5_000); // or for as long as the process lives
 * for await (const entry of log.follow({ signal, resync: ({ missed }) => console.warn("load anew", missed) })) {
 *   console.log(entry.origin, entry.seq, entry.event.changed);
 *   await entry.commit();
 * }
 * await log.close();
 * await transport.close();
 * ```
 */
export class SyncLog<Event = unknown> implements AsyncDisposable {
  readonly instanceId: string;
  private readonly parts: LogParts<Event>;
  private readonly events: Events<LogEvents> = createEvents<LogEvents>({
    error: true,
    gap: true,
    kept: true,
    repaired: true,
    reset: true,
  });
  private closing: Promise<void> | undefined;

  /**
   * Sends nothing yet: the first `append` or `follow` takes the name.
   *
   * @throws ConfigError that quotes the invalid option.
   */
  constructor(backend: FederationBackend, options: SyncLogOptions) {
    const settings = readLogSettings(backend, options);
    this.instanceId = settings.instanceId;
    this.parts = createLogParts<Event>(settings, this.events.emit);
  }

  /** How many appends wait in this process until Redis is back, or until the name is free. */
  get pending(): number {
    return this.parts.appender.pending;
  }

  /**
   * Appends an event behind all earlier ones. Appends of one tick are one batch, and each event is in the log once,
   * however often it had to be sent.
   *
   * While Redis is away the event waits in this process, in order, and the append resolves with `pending: true`. It
   * does the same shortly after a crash, while the dead process still holds the name.
   *
   * @throws TransportError when the event may not wait, or there is no room. With `delivery` `"unknown"` the event may
   *   be, or become, part of the log.
   * @throws OriginTakenError when another process is alive under this name.
   * @throws RangeError or CodecError when the event is too large or cannot be encoded, ConfigError when an option is
   *   invalid: nothing was appended.
   */
  async append(event: Event, options: AppendOptions = {}): Promise<Appended> {
    const [appended] = await this.appendMany([event], options);
    if (!appended) throw new Error("Expected one answer for one event, got none");
    return appended;
  }

  /**
   * Appends many events, in order, in as few round trips as possible.
   *
   * @throws the same errors as `append`. Then some of the events may have been appended, or none.
   */
  async appendMany(events: readonly Event[], options: AppendOptions = {}): Promise<readonly Appended[]> {
    assertOptions("append", options, knownAppend);
    const asked = toSendOptions(options);
    this.assertOpen();
    const texts = events.map((event) => this.parts.encode(event));
    return this.parts.appender.append(texts, { fallback: true, timeoutMs: this.parts.settings.timeoutMs, ...asked });
  }

  /**
   * Yields the events of all other instances, present and future, until `signal` fires, the log is closed, or the loop
   * is left. It goes on by itself after an outage.
   *
   * An event that cannot be decoded is skipped, and reported by `error` and as a gap of one.
   *
   * @throws OriginTakenError, from the loop, when another process is alive under this name.
   * @throws ConfigError that quotes the invalid option.
   */
  follow(options: FollowOptions = {}): AsyncIterableIterator<LogEntry<Event>> {
    this.assertOpen();
    return this.parts.follow(options);
  }

  /**
   * How many appends wait, and for each origin how many events are kept and how far behind this instance is.
   *
   * @throws TransportError when no reply came.
   */
  async stats(options: LogCallOptions = {}): Promise<LogStats> {
    assertOptions("stats", options, knownCall);
    const asked = toSendOptions(options);
    this.assertOpen();
    return readLogStats(this.parts, asked);
  }

  /**
   * Listens to an event.
   *
   * @returns the function that stops listening.
   *
   * @throws ConfigError when there is no such event.
   */
  on<Name extends keyof LogEvents>(event: Name, listener: (event: LogEvents[Name]) => void): () => void {
    return this.events.on(event, listener);
  }

  /**
   * Ends the loops, appends the events that wait or that a failover has lost, and releases the name for the next
   * process. Each of these steps takes at most `timeout`; events that are lost then are reported by `error`. The
   * transport stays open: its owner closes it. Safe to call twice.
   */
  close(): Promise<void> {
    this.closing ??= this.parts.close();
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private assertOpen(): void {
    if (this.closing) throw closedError(this.parts.link.name, "log");
  }
}

type LogParts<Event> = ReturnType<typeof createLogParts<Event>>;

/** A log's parts, put together. */
function createLogParts<Event>(settings: LogSettings, emit: Events<LogEvents>["emit"]) {
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
    /** @throws RangeError or CodecError when the event is too large or cannot be encoded. */
    encode(event: Event): string {
      const text = toMessageText(codec.encode(event));
      const bytes = new TextEncoder().encode(text).length;
      if (bytes <= maxEventBytes) return text;
      throw new RangeError(
        `Expected an event of at most ${maxEventBytes} bytes, got ${bytes}; append less, or raise \`maxEventBytes\``,
      );
    },
    follow: (options: FollowOptions) => follow<Event>(context, options),
    async close(): Promise<void> {
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
async function readLogStats<Event>(
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
