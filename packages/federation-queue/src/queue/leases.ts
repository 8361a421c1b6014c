import { type Codec, ConfigError, type Duration } from "@continuum-cache/core";
import { assertOptions, fromMessageText, messageOf, toError, toMs } from "@continuum-cache/core/kit";
import type { LeaseActions } from "./lease-actions.ts";
import { isLeaseLostError, LeaseLostError } from "./lease-lost-error.ts";
import { type MessageFields, readFields, type StreamEntry } from "./message-fields.ts";
import { knownNack } from "./options.ts";
import type { PriorityStream } from "./settings.ts";
import type { SettlementBatcher } from "./settlement-batcher.ts";
import type { Lease, NackOptions } from "./types.ts";

/** The leases of this process. */
export interface Leases<Event> {
  /** By their names: those that are held, and for a while those that have expired. */
  readonly known: ReadonlyMap<string, LeaseRecord<Event>>;
  /** How many more messages may be taken. */
  room(): number;
  all(): readonly LeaseRecord<Event>[];
  /** Undefined if there is nothing to work on: the entry is known, deleted, or unreadable. */
  take(stream: PriorityStream, entry: StreamEntry, takenMs: number): LeaseRecord<Event> | undefined;
}

export interface LeasesOptions {
  readonly settlements: SettlementBatcher;
  readonly actions: Pick<LeaseActions, "nack" | "release" | "extend">;
  readonly codec: Codec;
  readonly leaseMs: number;
  /** Moves an event that no codec can decode to the dead letters. */
  unreadable(stream: PriorityStream, entryId: string, fields: MessageFields, error: unknown): void;
}

/** The most leases of one consumer, well below Upstash's limit. */
export const maxInFlight = 500;

/**
 * An expired lease stays known for this many lease times. Until then its entry is not taken again: maintenance gives
 * the message out anew, and counts the crash.
 */
const knownLeaseTimes = 2;

export function createLeases<Event>(options: LeasesOptions): Leases<Event> {
  const { codec, leaseMs, settlements, actions, unreadable } = options;
  const known = new Map<string, LeaseRecord<Event>>();
  const context: LeaseContext = { leaseMs, settlements, actions, onSettled: ({ name }) => known.delete(name) };

  return {
    known,
    room() {
      const nowMs = performance.now();
      let room = maxInFlight;
      for (const [name, { expiresMs, state }] of known) {
        if (expiresMs + knownLeaseTimes * leaseMs < nowMs) known.delete(name);
        else if (expiresMs > nowMs && state !== "over") room--;
      }
      return room;
    },
    all: () => [...known.values()],
    take(stream, entry, takenMs) {
      const [entryId, words] = entry;
      const name = `${entryId} ${stream.key}`;
      // An entry without fields was deleted while it was pending.
      if (known.has(name) || !words) return undefined;
      const fields = readFields(entry);
      let event: Event;
      try {
        event = codec.decode(fromMessageText(fields.e)) as Event;
      } catch (error) {
        unreadable(stream, entryId, fields, error);
        return undefined;
      }
      const record = new LeaseRecord<Event>({ name, entryId, stream, fields, event, takenMs }, context);
      known.set(name, record);
      return record;
    },
  };
}

/** What all leases of a process share. */
interface LeaseContext {
  readonly leaseMs: number;
  readonly settlements: SettlementBatcher;
  readonly actions: LeasesOptions["actions"];
  /** Called once the entry is no longer pending. */
  onSettled(record: LeaseRecord): void;
}

interface NewLease<Event> extends Pick<LeaseRecord<Event>, "name" | "entryId" | "stream" | "fields" | "takenMs"> {
  readonly event: Event;
}

// Classes, since there is a pair for each message: a dozen closures each would be most of what a worker allocates.

/** A lease as this process keeps it. The fence is the entry's id: the entry is pending as long as the lease is held. */
export class LeaseRecord<Event = unknown> {
  /** Unique among the leases of this process. */
  readonly name: string;
  readonly entryId: string;
  readonly stream: PriorityStream;
  readonly fields: MessageFields;
  readonly lease: Lease<Event>;
  readonly context: LeaseContext;
  /** When it was taken, by `performance.now()`. */
  readonly takenMs: number;
  /** When it expires unless it is extended, by `performance.now()`. */
  expiresMs: number;
  /** "settling" while the answer is awaited. "over" after it was settled or lost. */
  state: "held" | "settling" | "over" = "held";
  /** It ended without being settled by this process. */
  isLost = false;
  /** The handler called `nack` or `release`: its return must not ack the message, even if that call has failed. */
  mustNotAck = false;
  /** A settlement was sent whose outcome is unknown. */
  isUncertain = false;
  /** Until when it is extended in the background, by `performance.now()`; undefined: no handler has worked on it. */
  extendUntilMs: number | undefined = undefined;
  #losing: AbortController | undefined;

  constructor({ name, entryId, stream, fields, event, takenMs }: NewLease<Event>, context: LeaseContext) {
    this.name = name;
    this.entryId = entryId;
    this.stream = stream;
    this.fields = fields;
    this.takenMs = takenMs;
    this.expiresMs = takenMs + context.leaseMs;
    this.context = context;
    this.lease = new LeaseHandle(this, event);
  }

  /** Created at the first access: few handlers read it. */
  get signal(): AbortSignal {
    this.#losing ??= new AbortController();
    if (this.isLost && !this.#losing.signal.aborted) this.#losing.abort(new LeaseLostError("work", this.fields.i));
    return this.#losing.signal;
  }

  /**
   * Acks it, and calls back: with the error if it is not acked.
   *
   * @throws LeaseLostError when it is over.
   */
  ack(done: (error: Error | undefined) => void): void {
    this.#begin("ack");
    this.context.settlements.settle(this, undefined, (outcome) => done(this.#finish("ack", outcome)));
  }

  async settle(operation: string, action: () => Promise<boolean>): Promise<void> {
    this.#begin(operation);
    const error = this.#finish(operation, await action().catch(toError));
    if (error) throw error;
  }

  #begin(operation: string): void {
    if (this.state !== "held") throw new LeaseLostError(operation, this.fields.i);
    this.state = "settling";
  }

  /** @returns why it is not settled. */
  #finish(operation: string, outcome: boolean | Error): Error | undefined {
    if (outcome === true) {
      if (this.state !== "over") this.context.onSettled(this);
      this.state = "over";
      return undefined;
    }
    if (outcome === false) {
      this.lose();
      return new LeaseLostError(operation, this.fields.i);
    }
    if (this.state === "settling") this.state = "held";
    return outcome;
  }

  /** Marks it as lost: another worker has the message, or may have it. */
  lose(): void {
    this.state = "over";
    this.isLost = true;
    this.#losing?.abort(new LeaseLostError("work", this.fields.i));
  }
}

/** The lease that a handler gets. */
class LeaseHandle<Event> implements Lease<Event> {
  readonly id: string;
  readonly event: Event;
  readonly #record: LeaseRecord<Event>;

  constructor(record: LeaseRecord<Event>, event: Event) {
    this.id = record.fields.i;
    this.event = event;
    this.#record = record;
  }

  get priority(): string {
    const { stream, fields } = this.#record;
    return stream.priority ?? fields.p ?? "";
  }

  get attempt(): number {
    return Number(this.#record.fields.f) + 1;
  }

  get crashes(): number {
    return Number(this.#record.fields.c);
  }

  get pushedAt(): Date {
    return new Date(Number(this.#record.fields.t));
  }

  get expiresAt(): Date {
    return new Date(Date.now() + Math.round(this.#record.expiresMs - performance.now()));
  }

  get signal(): AbortSignal {
    return this.#record.signal;
  }

  ack(): Promise<void> {
    return new Promise((resolve, reject) => this.#record.ack((error) => (error ? reject(error) : resolve())));
  }

  async nack(options: NackOptions = {}): Promise<void> {
    assertOptions("nack", options, knownNack);
    const { delay, reason } = options;
    const record = this.#record;
    const delayMs = delay === undefined ? undefined : isZero(delay) ? 0 : toMs(delay, "delay");
    const given = {
      ...(delayMs !== undefined && { delayMs }),
      ...(reason !== undefined && { reason: messageOf(reason) }),
    };
    record.mustNotAck = true;
    await record.settle("nack", () => record.context.actions.nack(record, given));
  }

  release(): Promise<void> {
    const record = this.#record;
    record.mustNotAck = true;
    return record.settle("release", () => record.context.actions.release(record));
  }

  async extend(duration?: Duration): Promise<void> {
    const record = this.#record;
    const { leaseMs, actions } = record.context;
    const durationMs = duration === undefined ? leaseMs : toMs(duration, "duration");
    if (durationMs > leaseMs) {
      throw new ConfigError(
        "duration",
        `Expected \`duration\` to be at most the queue's \`visibilityTimeout\`, ${leaseMs} ms, got ${durationMs} ms`,
      );
    }
    if (record.state === "over") throw new LeaseLostError("extend", this.id);
    const askedMs = performance.now();
    if (!(await actions.extend(record, durationMs))) {
      record.lose();
      throw new LeaseLostError("extend", this.id);
    }
    record.expiresMs = askedMs + durationMs;
  }
}

/** `toMs` refuses 0. */
const isZero = (delay: unknown): boolean =>
  delay === 0 || (typeof delay === "string" && /^0+(\.0+)?(ms|s|m|h|d)$/.test(delay));

/** Releases leases that are held. Never rejects. */
export type ReleaseAll = (records: readonly LeaseRecord[]) => Promise<void>;

/** @param onError - Called once if Redis does not answer: then the leases expire by themselves. */
export function createReleaseAll(onError: (error: unknown) => void): ReleaseAll {
  return async (records) => {
    let hasFailed = false;
    await Promise.all(
      records.map(async ({ lease, state }) => {
        try {
          if (state === "held") await lease.release();
        } catch (error) {
          // A lost lease is with another worker already.
          if (isLeaseLostError(error)) return;
          if (!hasFailed) onError(error);
          hasFailed = true;
        }
      }),
    );
  };
}
