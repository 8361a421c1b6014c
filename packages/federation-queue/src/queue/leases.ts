import { type Codec, ConfigError, type Duration } from "@continuum-cache/core";
import { assertOptions, fromMessageText, messageOf, toError, toMs } from "@continuum-cache/core/kit";
import { knownNack } from "./known-options.ts";
import { isLeaseLostError, LeaseLostError } from "./lease-lost-error.ts";
import { type MessageFields, readFields, type StreamEntry } from "./message-fields.ts";
import type { Source } from "./queue-keys.ts";
import type { Settling } from "./settling.ts";
import type { Lease, NackOptions } from "./types.ts";

/** What else ends leases, and extends them. Each tells whether the lease was held still. */
export interface LeaseWork {
  nack(held: Held, options: { readonly delayMs?: number; readonly reason?: string }): Promise<boolean>;
  release(held: Held): Promise<boolean>;
  extend(held: Held, durationMs: number): Promise<boolean>;
}

/** The leases of this process. */
export interface Leases<Event> {
  /** How many more may be taken. */
  room(): number;
  all(): readonly Held<Event>[];
  /** Undefined where there is nothing to work on: it is held already, gone, or unreadable. */
  take(source: Source, entry: StreamEntry, takenMs: number): Held<Event> | undefined;
}

export interface LeasesOptions extends LeaseWork {
  readonly settling: Settling;
  readonly codec: Codec;
  readonly leaseMs: number;
  /** Puts what can't be read to the dead. */
  unreadable(source: Source, entryId: string, fields: MessageFields, error: unknown): void;
}

/** So many leases at most are with one consumer, which is well below what Upstash allows. */
export const maxInFlight = 500;

/**
 * A lease that ended so long ago without being settled is forgotten, in leases. Until then it is not taken again: it is the
 * tending that gives its message out anew, and counts that.
 */
const forgottenAfter = 2;

export function createLeases<Event>(options: LeasesOptions): Leases<Event> {
  const { codec, leaseMs, settling, unreadable } = options;
  const held = new Map<string, Held<Event>>();
  const commons: LeaseCommons = { leaseMs, settling, work: options, onSettled: ({ name }) => held.delete(name) };

  const forgetOld = (nowMs: number): void => {
    for (const [name, one] of held) if (one.expiresMs + forgottenAfter * leaseMs < nowMs) held.delete(name);
  };

  return {
    room() {
      const nowMs = performance.now();
      forgetOld(nowMs);
      let room = maxInFlight;
      for (const { expiresMs, state } of held.values()) if (expiresMs > nowMs && state !== "over") room--;
      return room;
    },
    all: () => [...held.values()],
    take(source, entry, takenMs) {
      const [entryId, words] = entry;
      const name = `${entryId} ${source.key}`;
      // An entry without fields was deleted while it was pending.
      if (held.has(name) || !words) return undefined;
      const fields = readFields(entry);
      let event: Event;
      try {
        event = codec.decode(fromMessageText(fields.e)) as Event;
      } catch (error) {
        // What no codec here can read goes to the dead, where it can be looked at.
        unreadable(source, entryId, fields, error);
        return undefined;
      }
      const one = new Held<Event>({ name, entryId, source, fields, event, takenMs }, commons);
      held.set(name, one);
      return one;
    },
  };
}

/** What all leases of a process share. */
interface LeaseCommons {
  readonly leaseMs: number;
  readonly settling: Settling;
  readonly work: LeaseWork;
  /** It was settled: its entry is not pending any more. */
  onSettled(held: Held): void;
}

interface NewLease<Event> extends Pick<Held<Event>, "name" | "entryId" | "source" | "fields" | "takenMs"> {
  readonly event: Event;
}

// Classes, since there is a pair for each message: a dozen closures for each would be most of what a worker allocates.

/** A lease as this process keeps it. Its entry's id is the fence: it is pending as long as the lease is held. */
export class Held<Event = unknown> {
  /** Tells it from all other leases of this process. */
  readonly name: string;
  readonly entryId: string;
  readonly source: Source;
  readonly fields: MessageFields;
  readonly lease: Lease<Event>;
  readonly commons: LeaseCommons;
  /** When it was taken, by `performance.now()`. */
  readonly takenMs: number;
  /** When it ends unless it is extended, by `performance.now()`. */
  expiresMs: number;
  /** "settling" while an answer is awaited. */
  state: "held" | "settling" | "over" = "held";
  /** It ended without being settled here. */
  isLost = false;
  /** Its handler has asked for it to be given back, or counted as failed: it is not to be acked any more. */
  isUnwanted = false;
  /** A settling has been sent whose outcome is not known. */
  isDoubtful = false;
  /** Until when it is extended by itself, by `performance.now()`; undefined: no handler works on it. */
  keepUntilMs: number | undefined = undefined;
  #losing: AbortController | undefined;

  constructor({ name, entryId, source, fields, event, takenMs }: NewLease<Event>, commons: LeaseCommons) {
    this.name = name;
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
    this.#losing ??= new AbortController();
    if (this.isLost && !this.#losing.signal.aborted) this.#losing.abort(new LeaseLostError("work", this.fields.i));
    return this.#losing.signal;
  }

  /**
   * Acks it, and calls back: with why it is not done, or with nothing.
   *
   * @throws LeaseLostError when it is over already.
   */
  ack(done: (error: Error | undefined) => void): void {
    this.#begin("ack");
    this.commons.settling.settle(this, undefined, (outcome) => done(this.#finish("ack", outcome)));
  }

  async settle(operation: string, settling: () => Promise<boolean>): Promise<void> {
    this.#begin(operation);
    const error = this.#finish(operation, await settling().catch(toError));
    if (error) throw error;
  }

  #begin(operation: string): void {
    if (this.state !== "held") throw new LeaseLostError(operation, this.fields.i);
    this.state = "settling";
  }

  /** Tells why it is not settled. */
  #finish(operation: string, outcome: boolean | Error): Error | undefined {
    if (outcome === true) {
      if (this.state !== "over") this.commons.onSettled(this);
      this.state = "over";
    } else if (outcome === false) {
      this.lose();
      return new LeaseLostError(operation, this.fields.i);
    } else {
      if (this.state === "settling") this.state = "held";
      return outcome;
    }
    return undefined;
  }

  /** It belongs to another worker, or has to be taken for that. */
  lose(): void {
    this.state = "over";
    this.isLost = true;
    this.#losing?.abort(new LeaseLostError("work", this.fields.i));
  }
}

/** What a handler is given. */
class LeaseFace<Event> implements Lease<Event> {
  readonly id: string;
  readonly event: Event;
  readonly #held: Held<Event>;

  constructor(held: Held<Event>, event: Event) {
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
      ...(reason !== undefined && { reason: messageOf(reason) }),
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

/** Gives leases back, as if they had never been given out. Never rejects. */
export type GiveBack = (leases: readonly Held[]) => Promise<void>;

/** @param onError - Called once when there is no answer: they come back by themselves then, later. */
export function createGiveBack(onError: (error: unknown) => void): GiveBack {
  return async (leases) => {
    let hasFailed = false;
    await Promise.all(
      leases.map(async ({ lease, state }) => {
        try {
          if (state === "held") await lease.release();
        } catch (error) {
          // One whose time was over belongs to another worker by now, which is well.
          if (isLeaseLostError(error)) return;
          if (!hasFailed) onError(error);
          hasFailed = true;
        }
      }),
    );
  };
}
