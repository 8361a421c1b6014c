import { type Events, TransportError } from "@continuum-cache/core";
import { assertOptions, createEvents } from "@continuum-cache/core/kit";
import { type FederationBackend, knownCall, type LogCallOptions, readCallOptions } from "../shared/options.ts";
import { knownAppend } from "./known-options.ts";
import { createLogParts, type LogParts } from "./log-parts.ts";
import type { AppendOptions, FollowOptions, SyncLogOptions } from "./options.ts";
import { readLogStats } from "./read-log-stats.ts";
import { readLogSettings } from "./settings.ts";
import type { Appended, LogEntry, LogEvents, LogStats } from "./types.ts";

/**
 * A log that every instance reads: each event reaches every other instance, in the order of its origin, from where that
 * instance left off; what was missed is counted, never passed over. A `FederationQueue` is for work that only one does.
 *
 * Each instance appends under a name of its own, which it holds by a lease, so that its events are numbered without a hole.
 * Events are delivered at least once: one that was not committed is given again after a restart.
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
   * Nothing is sent yet: the name is taken with the first `append` or `follow`.
   *
   * @throws ConfigError that quotes the option that can't be.
   */
  constructor(backend: FederationBackend, options: SyncLogOptions) {
    const settings = readLogSettings(backend, options);
    this.instanceId = settings.instanceId;
    this.parts = createLogParts<Event>(settings, this.events.emit);
  }

  /** How many appends wait in this process for Redis to be back, or for the name to be free. */
  get pending(): number {
    return this.parts.appender.pending;
  }

  /**
   * Appends an event, behind all earlier ones. Appends that are asked for together travel together, and each is there once,
   * however often it had to be sent.
   *
   * While Redis is away it waits in this process, in order, and resolves with `pending: true`; so it does for the first
   * moments after a crash, while the name is still the dead process's.
   *
   * @throws TransportError when nothing may wait here, or there is no room. With `delivery` `"unknown"` it may be, or become,
   *   part of the log.
   * @throws OriginTakenError when another process is alive under this name.
   * @throws RangeError or CodecError when the event is too large or can't be written, ConfigError when an option can't be:
   *   nothing was appended.
   */
  async append(event: Event, options: AppendOptions = {}): Promise<Appended> {
    const [appended] = await this.appendMany([event], options);
    if (!appended) throw new Error("Expected one answer for one event, got none");
    return appended;
  }

  /** Appends many events, in order, in as few trips as can be. @throws as `append` does, and none or some were appended then. */
  async appendMany(events: readonly Event[], options: AppendOptions = {}): Promise<readonly Appended[]> {
    assertOptions("append", options, knownAppend);
    const asked = readCallOptions(options);
    this.assertOpen();
    const texts = events.map((event) => this.parts.write(event));
    return this.parts.appender.append(texts, { fallback: true, timeoutMs: this.parts.settings.timeoutMs, ...asked });
  }

  /**
   * Gives the events of all other instances, those that come too, until `signal` fires, the log is closed, or the loop is left.
   * It goes on by itself after an outage.
   *
   * An event that can't be decoded is told by `error` and as a gap of one, and passed over.
   *
   * @throws OriginTakenError, from the loop, when another process is alive under this name.
   * @throws ConfigError that quotes the option that can't be.
   */
  follow(options: FollowOptions = {}): AsyncIterableIterator<LogEntry<Event>> {
    this.assertOpen();
    return this.parts.follow(options);
  }

  /** How the log stands: what waits, and of each origin how much is kept and how far behind this instance is. @throws TransportError */
  async stats(options: LogCallOptions = {}): Promise<LogStats> {
    assertOptions("stats", options, knownCall);
    const asked = readCallOptions(options);
    this.assertOpen();
    return readLogStats(this.parts, asked);
  }

  /** Listens to an event. @returns the function that stops listening. @throws ConfigError when there is no such event. */
  on<Name extends keyof LogEvents>(event: Name, listener: (event: LogEvents[Name]) => void): () => void {
    return this.events.on(event, listener);
  }

  /**
   * Ends the loops, appends what waits and what a failover has lost, if Redis is there in time, and gives the name back, so
   * that the next process has it at once: each takes `timeout` at most. What is lost with this process is told by `error`.
   * The transport stays open: it is its owner's. Safe to call twice.
   */
  close(): Promise<void> {
    this.closing ??= this.parts.close();
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private assertOpen(): void {
    if (!this.closing) return;
    throw new TransportError("closed", "The log was closed", {
      transport: this.parts.link.name,
      delivery: "none",
    });
  }
}
