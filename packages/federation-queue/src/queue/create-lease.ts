import { assertOptions, ConfigError, type Duration, errorOf, textOf, toMs } from "@continuum-cache/core";
import type { Lease, NackOptions } from "../lease.ts";
import { LeaseLostError } from "../lease-lost-error.ts";
import { knownNack } from "../settings/known-options.ts";
import type { Settled } from "./acks.ts";
import type { Held } from "./leases.ts";
import type { MessageFields } from "./message-fields.ts";
import type { Source } from "./queue-keys.ts";

/** What ends leases. Each tells whether the lease was held still, or that nobody knows. */
export interface LeaseWork {
  ack(held: Held, settled: Settled): void;
  nack(held: Held, options: { readonly delayMs?: number; readonly reason?: string }): Promise<boolean>;
  release(held: Held): Promise<boolean>;
  extend(held: Held, durationMs: number): Promise<boolean>;
}

/** What all leases of a process share. */
export interface LeaseCommons {
  readonly leaseMs: number;
  readonly work: LeaseWork;
  /** It was settled: its entry is not pending any more. */
  onSettled(held: Held): void;
}

interface NewLease<Event> {
  readonly entryId: string;
  readonly source: Source;
  readonly fields: MessageFields;
  readonly event: Event;
  readonly takenMs: number;
}

export function createLease<Event>(of: NewLease<Event>, commons: LeaseCommons): Held<Event> {
  return new OwnLease(of, commons);
}

// Classes, since there is a pair for each message: a dozen closures for each would be most of what a worker allocates.

class OwnLease<Event> implements Held<Event> {
  readonly entryId: string;
  readonly source: Source;
  readonly fields: MessageFields;
  readonly lease: Lease<Event>;
  readonly takenMs: number;
  readonly commons: LeaseCommons;
  expiresMs: number;
  state: Held["state"] = "held";
  isLost = false;
  isUnwanted = false;
  isDoubtful = false;
  keepUntilMs = 0;
  private losing: AbortController | undefined;

  constructor({ entryId, source, fields, event, takenMs }: NewLease<Event>, commons: LeaseCommons) {
    this.entryId = entryId;
    this.source = source;
    this.fields = fields;
    this.takenMs = takenMs;
    this.expiresMs = takenMs + commons.leaseMs;
    this.commons = commons;
    this.lease = new LeaseFace(this, event);
  }

  /** Few handlers look at it, and one for each message is dear. */
  get signal(): AbortSignal {
    this.losing ??= new AbortController();
    if (this.isLost && !this.losing.signal.aborted) this.losing.abort(new LeaseLostError("work", this.fields.i));
    return this.losing.signal;
  }

  ack(done: (error: Error | undefined) => void): void {
    this.begin("ack");
    this.commons.work.ack(this, (outcome) => done(this.finish("ack", outcome)));
  }

  async settle(operation: string, settling: () => Promise<boolean>): Promise<void> {
    this.begin(operation);
    const error = this.finish(operation, await settling().catch(errorOf));
    if (error) throw error;
  }

  private begin(operation: string): void {
    if (this.state !== "held") throw new LeaseLostError(operation, this.fields.i);
    this.state = "settling";
  }

  /** Tells why it is not settled. */
  private finish(operation: string, outcome: boolean | Error): Error | undefined {
    if (outcome === true) {
      this.end();
    } else if (outcome === false) {
      this.lose();
      return new LeaseLostError(operation, this.fields.i);
    } else {
      if (this.state === "settling") this.state = "held";
      return outcome;
    }
    return undefined;
  }

  lose(): void {
    this.state = "over";
    this.isLost = true;
    this.losing?.abort(new LeaseLostError("work", this.fields.i));
  }

  end(): void {
    if (this.state === "over") return;
    this.state = "over";
    this.commons.onSettled(this);
  }
}

/** What a handler is given. */
class LeaseFace<Event> implements Lease<Event> {
  readonly id: string;
  readonly event: Event;
  readonly #held: OwnLease<Event>;

  constructor(held: OwnLease<Event>, event: Event) {
    this.id = held.fields.i;
    this.event = event;
    this.#held = held;
  }

  get priority(): string {
    const { source, fields } = this.#held;
    return source.priority ?? fields.p ?? "";
  }

  get attempt(): number {
    return Number(this.#held.fields.f) + 1;
  }

  get crashes(): number {
    return Number(this.#held.fields.c);
  }

  get pushedAt(): Date {
    return new Date(Number(this.#held.fields.t));
  }

  get expiresAt(): Date {
    return new Date(Date.now() + Math.round(this.#held.expiresMs - performance.now()));
  }

  get signal(): AbortSignal {
    return this.#held.signal;
  }

  ack(): Promise<void> {
    return new Promise((resolve, reject) => this.#held.ack((error) => (error ? reject(error) : resolve())));
  }

  async nack(options: NackOptions = {}): Promise<void> {
    assertOptions("nack", options, knownNack);
    const { delay, reason } = options;
    const held = this.#held;
    const delayMs = delay === undefined ? undefined : isNone(delay) ? 0 : toMs(delay, "delay");
    const asked = {
      ...(delayMs !== undefined && { delayMs }),
      ...(reason !== undefined && { reason: textOf(reason) }),
    };
    held.isUnwanted = true;
    await held.settle("nack", () => held.commons.work.nack(held, asked));
  }

  release(): Promise<void> {
    const held = this.#held;
    held.isUnwanted = true;
    return held.settle("release", () => held.commons.work.release(held));
  }

  async extend(duration?: Duration): Promise<void> {
    const held = this.#held;
    const { leaseMs, work } = held.commons;
    const durationMs = duration === undefined ? leaseMs : toMs(duration, "duration");
    if (durationMs > leaseMs) {
      throw new ConfigError(
        "duration",
        `Expected \`duration\` to be at most the queue's \`visibilityTimeout\`, ${leaseMs} ms, got ${durationMs} ms`,
      );
    }
    if (held.state === "over") throw new LeaseLostError("extend", this.id);
    const askedMs = performance.now();
    if (!(await work.extend(held, durationMs))) {
      held.lose();
      throw new LeaseLostError("extend", this.id);
    }
    held.expiresMs = askedMs + durationMs;
  }
}

/** 0 is a delay too: none. */
const isNone = (delay: unknown): boolean =>
  delay === 0 || (typeof delay === "string" && /^0+(\.0+)?(ms|s|m|h|d)$/.test(delay));
