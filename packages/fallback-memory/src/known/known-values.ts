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

/** What the primary is known to have held under a key. */
export interface KnownValue {
  /** `null` when there was nothing. */
  readonly value: Bulk | null;
  /** When it ends, in milliseconds since 1970: `never` for a value that was only read, of whose end nothing is known. */
  readonly expiresAtMs: number;
  /** When it was heard of, by `performance.now()`. */
  readonly heardMs: number;
}

/**
 * The latest strings that this process has read from the primary or written there, bounded: what tells, after an outage,
 * whether somebody else has written a key meanwhile.
 */
export interface KnownValues {
  /**
   * A trip may yet change what is stored: it is under way while the primary is away, or has failed. Before that nothing is
   * asked of what is known here. @param trip - Its number; those of later trips are higher.
   */
  doubt(trip: number, commands: readonly Command[]): void;
  arrived(trip: number, commands: readonly Command[], replies: readonly Reply[]): void;
  /** A number behind those of all trips so far and before those of later ones. */
  mark(): number;
  /**
   * What was heard of these keys before a trip is not so any more: they are gone, unless others have written them since. It looks at
   * all keys, in slices.
   */
  forget(matches: (key: Bulk) => boolean, beforeTrip: number): Promise<void>;
  /** This stands there now, as a script has told. */
  learned(key: Bulk, value: Bulk, expiresAtMs: number): void;
  /** The latest that was heard, though a write of this process may be under way. */
  at(key: Bulk): KnownValue | undefined;
  /** The same, unless anything is under way that may change it. */
  certain(key: Bulk): KnownValue | undefined;
}

export interface KnownValuesOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** As `KnownValues.mark`. */
  readonly nextNumber: () => number;
}

interface Remembered {
  readonly value: Bulk | null;
  expiresAtMs: number;
  heardMs: number;
  /** The trip that told. What an earlier one tells later is older. */
  trip: number;
  /** The earliest trip that may have changed it since; its own answer may yet tell what it did. */
  doubtedBy: number | undefined;
}

const overheadBytes = 150;
/** Doubts by a trip that has ended: no answer takes them away but one that tells the value. */
const ended = 0;

export function createKnownValues(options: KnownValuesOptions): KnownValues {
  return new LatestValues(options);
}

class LatestValues implements KnownValues {
  readonly #options: KnownValuesOptions;
  #known: Lru<Remembered>;
  /** When what is being read was heard, by `performance.now()`. */
  #heardMs = 0;
  /** The latest trip that may have changed anything. */
  #flushed = 0;

  constructor(options: KnownValuesOptions) {
    this.#options = options;
    this.#known = createLru(options);
  }

  doubt(trip: number, commands: readonly Command[]): void {
    for (const command of commands) this.#doubtAll(trip, command, trip);
  }

  arrived(trip: number, commands: readonly Command[], replies: readonly Reply[]): void {
    this.#heardMs = performance.now();
    for (let index = 0; index < commands.length; index++) {
      this.#note(trip, commands[index] as Command, replies[index] ?? null);
    }
  }

  mark(): number {
    return this.#options.nextNumber();
  }

  async forget(matches: (key: Bulk) => boolean, beforeTrip: number): Promise<void> {
    const known = this.#known;
    const slices = createTimeSlices();
    for (const [id, { trip }] of known) {
      if (trip < beforeTrip && matches(bulkOfId(id))) known.delete(id);
      const pause = slices.yieldIfDue();
      if (pause) await pause;
    }
  }

  learned(key: Bulk, value: Bulk, expiresAtMs: number): void {
    this.#heardMs = performance.now();
    this.#remember(this.mark(), key, value, expiresAtMs);
  }

  at(key: Bulk): KnownValue | undefined {
    return this.#known.peek(idOf(key));
  }

  certain(key: Bulk): KnownValue | undefined {
    const found = this.#known.peek(idOf(key));
    return found?.doubtedBy === undefined ? found : undefined;
  }

  #note(trip: number, command: Command, reply: Reply): void {
    if (typeof reply === "object" && !isArray(reply) && isCommandError(reply)) {
      // A script may have written before it was refused.
      this.#doubtAll(trip, command, ended);
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
          // A key of another type is null here too, so nothing is known of it.
          if (typeof found === "string" || found instanceof Uint8Array || found === null) {
            this.#remember(trip, command[at] as Argument, found);
          }
        }
        return;
      case "SET":
        if (reply === "OK" && value !== undefined)
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
      // Nearly every read of a busy key: nothing has to be weighed anew.
      before.expiresAtMs = expiresAtMs;
      before.heardMs = this.#heardMs;
      before.trip = trip;
      before.doubtedBy = undefined;
      return;
    }
    const bytes = overheadBytes + id.length + (value === null ? 0 : footprint(value));
    // One large value must not drive out all others.
    if (bytes > Math.ceil(this.#options.maxBytes / 16)) this.#known.delete(id);
    else this.#known.set(id, { value, expiresAtMs, heardMs: this.#heardMs, trip, doubtedBy: undefined }, bytes);
  }

  /** @param by - Whose answer may take the doubt away. */
  #doubtAll(trip: number, command: Command, by: number): void {
    if (!isWrite(command)) return;
    const keys = keysOf(command);
    if (keys === "database") this.#flush(trip);
    else for (const key of keys) this.#doubt(trip, key, by);
  }

  #doubt(trip: number, key: Argument, by: number): void {
    const id = idOfArgument(key);
    const before = this.#known.peek(id);
    if (!before || before.trip > trip) return;
    before.trip = trip;
    before.doubtedBy = Math.min(before.doubtedBy ?? by, by);
  }

  /** Without a condition only a key that is not there can't be given an end. */
  #moved(trip: number, [, key, , ...conditions]: Command, reply: Reply, endMs: number): void {
    if (key === undefined) return;
    if (reply === 1) this.#move(trip, key, endMs);
    else if (conditions.length === 0) this.#remember(trip, key, null);
  }

  /** The value stays, its end is another. */
  #move(trip: number, key: Argument, expiresAtMs: number): void {
    const id = idOfArgument(key);
    const before = this.#known.peek(id);
    if (!before || before.trip > trip) return;
    before.expiresAtMs = expiresAtMs;
    before.trip = trip;
    if (before.doubtedBy === trip) before.doubtedBy = undefined;
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

  /** Counting leaves the end as it is; what had ended has begun anew. */
  #endLeftTo(key: Argument): number {
    const endMs = this.#known.peek(idOfArgument(key))?.expiresAtMs ?? never;
    return endMs > this.#options.clock.now() ? endMs : never;
  }
}

const isArray = (reply: Reply): reply is readonly Reply[] => Array.isArray(reply);
const idOfArgument = (key: Argument): string =>
  typeof key === "string" && isWellFormed(key) ? key : idOf(toBulk(key));

/** When a value that was set with these words ends; with words that leave that open, as if it did not. */
function endOf(unit: Argument | undefined, time: Argument | undefined, clock: Clock): number {
  const count = Number(time);
  switch (typeof unit === "string" ? unit.toUpperCase() : "") {
    case "EX":
      return clock.now() + count * 1_000;
    case "PX":
      return clock.now() + count;
    case "EXAT":
      return count * 1_000;
    case "PXAT":
      return count;
    default:
      return never;
  }
}
