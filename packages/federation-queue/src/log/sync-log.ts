import type { Events } from "@continuum-cache/core";
import { assertOptions, closedError, createEvents, toSendOptions } from "@continuum-cache/core/kit";
import { type FederationBackend, knownCall, type LogCallOptions } from "../shared/options.ts";
import { createLogParts, type LogParts, readLogStats } from "./log-parts.ts";
import { knownAppend, readLogSettings } from "./settings.ts";
import type { Appended, AppendOptions, FollowOptions, LogEntry, LogEvents, LogStats, SyncLogOptions } from "./types.ts";

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
