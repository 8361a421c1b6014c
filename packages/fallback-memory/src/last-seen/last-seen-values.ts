import { type Argument, type Clock, type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { createLru, createTimeSlices, isWrite, keysOf, type Lru } from "@continuum-cache/core/kit";
import {
  type Bulk,
  bulkOfId,
  footprint,
  idOf,
  isWellFormed,
  never,
  toBulk,
} from "@continuum-cache/transport-memory/kit";
import { answersOldValue, endOf } from "./set-words.ts";

/** A value that this process saw at the primary. */
export interface LastSeenValue {
  /** `null` if the key did not exist. */
  readonly value: Bulk | null;
  /**
   * When it ends, in milliseconds since 1970: `never` for a value that was only read, of whose end nothing is known.
   */
  readonly expiresAtMs: number;
  /** When it was seen, by `performance.now()`. */
  readonly seenMs: number;
}

/**
 * The latest strings that this process has read from the primary or written there, bounded. After an outage they show
 * whether another process has written a key meanwhile.
 */
export interface LastSeenValues {
  /**
   * A trip may still change its keys: it has failed, or is in flight while the primary is away. While the primary
   * answers, the values are not used, so trips in flight need not be marked.
   *
   * @param trip - Its number; later trips have higher numbers.
   */
  markUncertain(trip: number, commands: readonly Command[]): void;
  recordReplies(trip: number, commands: readonly Command[], replies: readonly Reply[]): void;
  /** A number greater than those of all trips so far, and less than those of later ones. */
  nextNumber(): number;
  /**
   * Drops what was seen of matching keys before a trip: they are deleted, unless other processes have written them
   * since. Looks at all keys, in slices.
   */
  forgetOlder(matches: (key: Bulk) => boolean, beforeTrip: number): Promise<void>;
  /** A script has set this value. */
  recordWritten(key: Bulk, value: Bulk, expiresAtMs: number): void;
  /** The latest value that was seen. A write of this process that is in flight may change it. */
  latest(key: Bulk): LastSeenValue | undefined;
  /** The latest value that was seen, unless a write in flight may change it. */
  certain(key: Bulk): LastSeenValue | undefined;
}

export interface LastSeenOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** See `LastSeenValues.nextNumber`. */
  readonly nextNumber: () => number;
}

interface Remembered {
  readonly value: Bulk | null;
  expiresAtMs: number;
  seenMs: number;
  /** The number of the trip that saw it. A value that an earlier trip saw is older, also if its reply comes later. */
  trip: number;
  /** The earliest trip that may have changed it since. The reply of that trip may still say what it did. */
  uncertainSince: number | undefined;
}

const overheadBytes = 150;
/** For a change by a trip that has ended: the value stays uncertain until a reply contains it. */
const ended = 0;

export function createLastSeenValues(options: LastSeenOptions): LastSeenValues {
  return new LatestValues(options);
}

class LatestValues implements LastSeenValues {
  readonly #options: LastSeenOptions;
  #known: Lru<Remembered>;
  /** When the replies that are being recorded came, by `performance.now()`. */
  #seenMs = 0;
  /** The latest trip that may have changed any key. */
  #flushed = 0;

  constructor(options: LastSeenOptions) {
    this.#options = options;
    this.#known = createLru(options);
  }

  markUncertain(trip: number, commands: readonly Command[]): void {
    for (const command of commands) this.#markAllUncertain(trip, command, trip);
  }

  recordReplies(trip: number, commands: readonly Command[], replies: readonly Reply[]): void {
    this.#seenMs = performance.now();
    for (let index = 0; index < commands.length; index++) {
      this.#note(trip, commands[index] as Command, replies[index] ?? null);
    }
  }

  nextNumber(): number {
    return this.#options.nextNumber();
  }

  async forgetOlder(matches: (key: Bulk) => boolean, beforeTrip: number): Promise<void> {
    const known = this.#known;
    const slices = createTimeSlices();
    for (const [id, { trip }] of known) {
      if (trip < beforeTrip && matches(bulkOfId(id))) known.delete(id);
      const pause = slices.yieldIfDue();
      if (pause) await pause;
    }
  }

  recordWritten(key: Bulk, value: Bulk, expiresAtMs: number): void {
    this.#seenMs = performance.now();
    this.#remember(this.nextNumber(), key, value, expiresAtMs);
  }

  latest(key: Bulk): LastSeenValue | undefined {
    return this.#known.peek(idOf(key));
  }

  certain(key: Bulk): LastSeenValue | undefined {
    const found = this.#known.peek(idOf(key));
    return found?.uncertainSince === undefined ? found : undefined;
  }

  #note(trip: number, command: Command, reply: Reply): void {
    if (typeof reply === "object" && !isArray(reply) && isCommandError(reply)) {
      // A script may have written before it failed.
      this.#markAllUncertain(trip, command, ended);
      return;
    }
    const key = command[1];
    const value = command[2];
    if (key === undefined) {
      if (isWrite(command)) this.#forgetAll(trip, keysOf(command));
      return;
    }
    switch (command[0]) {
      case "GET":
        if (typeof reply !== "number" && !isArray(reply)) this.#remember(trip, key, reply);
        return;
      case "MGET":
        if (!isArray(reply)) return;
        for (let at = 1; at < command.length; at++) {
          const found = reply[at - 1];
          // MGET also returns null for a key of another type.
          if (typeof found === "string" || found instanceof Uint8Array || found === null) {
            this.#remember(trip, command[at] as Argument, found);
          }
        }
        return;
      case "SET":
        if (reply === "OK" && value !== undefined && !answersOldValue(command))
          this.#remember(trip, key, toBulk(value), endOf(command[3], command[4], this.#options.clock));
        else this.#drop(key);
        return;
      case "SETEX":
      case "PSETEX":
        if (command[3] !== undefined)
          this.#remember(
            trip,
            key,
            toBulk(command[3]),
            this.#options.clock.now() + Number(value) * (command[0] === "SETEX" ? 1_000 : 1),
          );
        return;
      case "MSET":
        for (let at = 1; at + 1 < command.length; at += 2) {
          this.#remember(trip, command[at] as Argument, toBulk(command[at + 1] as Argument));
        }
        return;
      case "INCR":
      case "INCRBY":
      case "DECR":
      case "DECRBY":
        if (Number.isSafeInteger(reply)) this.#remember(trip, key, String(reply), this.#endLeftTo(key));
        else this.#drop(key);
        return;
      case "DEL":
      case "UNLINK":
      case "GETDEL":
        for (let at = 1; at < command.length; at++) this.#remember(trip, command[at] as Argument, null);
        return;
      case "EXPIRE":
      case "PEXPIRE":
        this.#moved(
          trip,
          command,
          reply,
          this.#options.clock.now() + Number(value) * (command[0] === "EXPIRE" ? 1_000 : 1),
        );
        return;
      case "PEXPIREAT":
        this.#moved(trip, command, reply, Number(value));
        return;
      case "PERSIST":
        this.#move(trip, key, reply === 1 ? never : (this.#known.peek(idOfArgument(key))?.expiresAtMs ?? never));
        return;
      default:
        if (isWrite(command)) this.#forgetAll(trip, keysOf(command));
    }
  }

  #remember(trip: number, key: Argument, value: Bulk | null, expiresAtMs: number = never): void {
    const id = idOfArgument(key);
    const before = this.#known.peek(id);
    if (trip < this.#flushed || (before && before.trip > trip)) return;
    if (before?.value === value) {
      // Nearly every read of a busy key: its size is the same.
      before.expiresAtMs = expiresAtMs;
      before.seenMs = this.#seenMs;
      before.trip = trip;
      before.uncertainSince = undefined;
      return;
    }
    const bytes = overheadBytes + id.length + (value === null ? 0 : footprint(value));
    // One large value must not evict all others.
    if (bytes > Math.ceil(this.#options.maxBytes / 16)) this.#known.delete(id);
    else this.#known.set(id, { value, expiresAtMs, seenMs: this.#seenMs, trip, uncertainSince: undefined }, bytes);
  }

  /** @param by - The trip whose reply may make the values certain again. */
  #markAllUncertain(trip: number, command: Command, by: number): void {
    if (!isWrite(command)) return;
    const keys = keysOf(command);
    if (keys === "database") this.#flush(trip);
    else for (const key of keys) this.#markUncertain(trip, key, by);
  }

  #markUncertain(trip: number, key: Argument, by: number): void {
    const id = idOfArgument(key);
    const before = this.#known.peek(id);
    if (!before || before.trip > trip) return;
    before.trip = trip;
    before.uncertainSince = Math.min(before.uncertainSince ?? by, by);
  }

  /** EXPIRE without a condition returns 0 only if the key does not exist. */
  #moved(trip: number, [, key, , ...conditions]: Command, reply: Reply, endMs: number): void {
    if (key === undefined) return;
    if (reply === 1) this.#move(trip, key, endMs);
    else if (conditions.length === 0) this.#remember(trip, key, null);
  }

  /** The value stays, its expiry changes. */
  #move(trip: number, key: Argument, expiresAtMs: number): void {
    const id = idOfArgument(key);
    const before = this.#known.peek(id);
    if (!before || before.trip > trip) return;
    before.expiresAtMs = expiresAtMs;
    before.trip = trip;
    if (before.uncertainSince === trip) before.uncertainSince = undefined;
  }

  #drop(key: Argument): void {
    this.#known.delete(idOfArgument(key));
  }

  #forgetAll(trip: number, keys: readonly string[] | "database"): void {
    if (keys === "database") this.#flush(trip);
    else for (const key of keys) this.#drop(key);
  }

  #flush(trip: number): void {
    this.#flushed = Math.max(this.#flushed, trip);
    this.#known = createLru(this.#options);
  }

  /** INCR keeps the expiry of a counter; an expired counter starts again without one. */
  #endLeftTo(key: Argument): number {
    const endMs = this.#known.peek(idOfArgument(key))?.expiresAtMs ?? never;
    return endMs > this.#options.clock.now() ? endMs : never;
  }
}

const isArray = (reply: Reply): reply is readonly Reply[] => Array.isArray(reply);
const idOfArgument = (key: Argument): string =>
  typeof key === "string" && isWellFormed(key) ? key : idOf(toBulk(key));
