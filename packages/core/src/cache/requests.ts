import type { Codec } from "../codecs/codec.ts";
import { isCommandError, unwrap } from "../errors/command-error.ts";
import { quoted } from "../errors/quoted.ts";
import { assertKey } from "../keys/key-limit.ts";
import { toWireChannel } from "../messages/channel-name.ts";
import { toMessageText } from "../messages/message-text.ts";
import type { Events } from "../ports/events.ts";
import type { KeepRead } from "../ports/near-cache.ts";
import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import type { Texts } from "../tags/marker-reads.ts";
import type { CacheEvents } from "./cache-events.ts";
import type { StatsRecorder } from "./calls.ts";
import {
  beginsAsEntry,
  firstOfBytes,
  firstOfText,
  firstOfTextForm,
  placeholderHead,
  plainEntry,
} from "./entry-start.ts";
import { integerRequest, readInteger } from "./integer-reply.ts";
import { listRequests } from "./list-requests.ts";
import { endingsOf, type SetEnding, type SetOptions } from "./set-options.ts";
import { type TimeToLive, ttlToMs } from "./time-to-live.ts";
import type { Copies, Opening, SentRead, Values } from "./values.ts";

/** One operation of the cache as data: the consecutive commands that it sends, and how their replies are read. */
export interface Request<Result> {
  readonly operation: string;
  /** None when there is nothing to send: the value was skipped. */
  readonly commands: readonly Command[];
  /** Whether `read` knows what a refusal means: in a pipeline, too, it is then asked. */
  readonly readsRefusals?: true;
  /**
   * @param replies - Among others, one for each command.
   * @param at - Where those begin.
   * @throws CommandError when Redis said no.
   */
  read(replies: readonly Reply[], at: number): Result;
}

/** Makes requests; what the cache and its pipelines have in common. */
export interface Requests {
  set(key: string, value: unknown, options?: SetOptions): Request<boolean>;
  get(key: string): ReadRequest<unknown>;
  /** The same for a value that the near cache may keep. */
  getNear(key: string, keep: KeepRead): ReadRequest<unknown>;
  /** A read for several callers, each of whom gets a copy of the value. @param keep - Keeps it too. */
  getCopies(key: string, keep?: KeepRead): ReadRequest<Copies | undefined>;
  /** Stores what was loaded for several callers, each of whom gets what a read would bring. */
  setCopies(key: string, value: unknown, ttlMs: number | undefined): { store(): Request<boolean>; copies: Copies };
  /** The key with the prefix. @throws TypeError when it is no text, RangeError when it is too long. */
  fullKeyOf(key: string): string;
  /** The time to live of a key in milliseconds; `undefined` for no expiry. @throws ConfigError when `own` is wrong. */
  ttlMsOf(key: string, own: TimeToLive | undefined): number | undefined;
  delete(keys: readonly string[]): Request<number>;
  exists(key: string): Request<boolean>;
  expire(key: string, ttl: TimeToLive): Request<boolean>;
  ttl(key: string): Request<number>;
  increment(key: string, by?: number): Request<number>;
  push(name: "LPUSH" | "RPUSH", key: string, items: readonly unknown[]): Request<number>;
  pop(name: "LPOP" | "RPOP", key: string): Request<unknown>;
  lrange(key: string, start: number, stop: number): Request<unknown[]>;
  llen(key: string): Request<number>;
  publish(channel: string, data: unknown): Request<number>;
}

export function createRequests(
  prefix: string,
  values: Values,
  stats: StatsRecorder,
  chooseTtl: (key: string, own: TimeToLive | undefined) => number | undefined,
): Requests {
  const full = (key: string): string => {
    assertKey(key);
    const prefixed = prefix + key;
    if (prefix !== "") assertKey(prefixed);
    return prefixed;
  };
  const flag = (operation: string, command: Command): Request<boolean> => ({
    operation,
    commands: [command],
    read: (replies, at) => readInteger(replies[at]) === 1,
  });
  const { counts } = stats;
  const setting = (
    key: string,
    fullKey: string,
    stored: string | Uint8Array,
    endings: readonly SetEnding[],
  ): Request<boolean> =>
    new SetRequest(
      values.fits(key, stored) ? endings.map((ending): Command => ["SET", fullKey, stored, ...ending]) : [],
    );

  return {
    set(key, item, options = {}) {
      const endings = endingsOf(options, chooseTtl(key, options.ttl));
      const fullKey = full(key);
      return setting(key, fullKey, toStored(values.toBody(item)), endings);
    },
    get: (key) => new ReadRequest(full, "get", key, values.fromStored, counts),
    getNear(key, keep) {
      const read: Values["fromStored"] = (operation, name, reply, sent) =>
        keep(reply, values.fromStored(operation, name, reply, sent));
      return new ReadRequest(full, "get", key, read, counts);
    },
    getCopies(key, keep) {
      const read: Values["copiesOf"] = (operation, name, reply, sent) => {
        const copies = values.copiesOf(operation, name, reply, sent);
        if (copies) keep?.(reply, undefined);
        return copies;
      };
      return new ReadRequest(full, "getOrSet", key, keep ? read : values.copiesOf, counts);
    },
    setCopies(key, item, ttlMs) {
      const body = values.toBody(item);
      return {
        store: () => setting(key, full(key), toStored(body), endingsOf({}, ttlMs)),
        copies: values.copiesOfBody("getOrSet", key, body) ?? (() => undefined),
      };
    },
    fullKeyOf: full,
    ttlMsOf: chooseTtl,
    delete: (keys) => ({
      operation: "delete",
      commands: keys.length === 0 ? [] : [["DEL", ...keys.map(full)]],
      read: (replies, at) => (keys.length === 0 ? 0 : readInteger(replies[at])),
    }),
    // One command as EXISTS is, which would count a placeholder.
    exists: (key) => ({
      operation: "exists",
      commands: [["GETRANGE", full(key), 0, placeholderHead.length - 1]],
      readsRefusals: true,
      read: (replies, at) => isThere(replies[at]),
    }),
    expire(key, ttl) {
      const ttlMs = ttlToMs(ttl);
      if (ttlMs !== undefined) return flag("expire", ["PEXPIRE", full(key), ttlMs]);
      // PERSIST answers 0 as well when the key had no expiry.
      const commands = [["PERSIST", full(key)] as const, ["EXISTS", full(key)] as const];
      return { operation: "expire", commands, read: (replies, at) => readInteger(replies[at + 1]) === 1 };
    },
    ttl: (key) => integerRequest("ttl", ["TTL", full(key)]),
    increment(key, by = 1) {
      if (!Number.isSafeInteger(by)) throw new RangeError(`Expected to increment by a whole number, got ${quoted(by)}`);
      return integerRequest("increment", ["INCRBY", full(key), by]);
    },
    ...listRequests(full, values),
    publish(channel, data) {
      const wire = toWireChannel(channel);
      return integerRequest("publish", ["PUBLISH", wire, toMessageText(values.toItem("message", channel, data))]);
    },
  };
}

/** @param head - The first bytes of a value; the refusal to read a range of what is no string says that it is there. */
function isThere(head: Reply | undefined): boolean {
  if (isCommandError(head) && head.code === "WRONGTYPE") return true;
  const found = unwrap(head);
  return found !== "" && found !== placeholderHead;
}

/** A value that is stored by one of its commands, or by none when it was skipped. */
class SetRequest implements Request<boolean> {
  readonly operation = "set";
  readonly commands: readonly Command[];

  constructor(commands: readonly Command[]) {
    this.commands = commands;
  }

  read(replies: readonly Reply[], from: number): boolean {
    let isSet = false;
    for (let at = from; at < from + this.commands.length; at++) if (unwrap(replies[at]) === "OK") isSet = true;
    return isSet;
  }
}

/** Reads what stands under a key. Where that takes time, as to verify tags, it is a promise, which the call follows. */
type ReadStored<Found> = (operation: string, key: string, reply: Reply | undefined, read: SentRead) => Found;

/** The read of one string. A class, since there are more of these than of all others: what they share is made once. */
export class ReadRequest<Found> implements Request<Found>, SentRead {
  readonly operation = "get";
  /** With the prefix. */
  readonly fullKey: string;
  /** With what it was sent, and when: what verifies tags has the rest of its time. */
  options: SendOptions | undefined = undefined;
  startedMs = 0;
  /** The markers that are read with it. */
  texts: Promise<Texts> | undefined = undefined;
  readonly #caller: string;
  readonly #key: string;
  readonly #read: ReadStored<Found>;
  readonly #counts: StatsRecorder["counts"];

  /**
   * @param full - Checks a key, and puts the prefix before it.
   * @param caller - The method that reads, for events.
   */
  constructor(
    full: (key: string) => string,
    caller: string,
    key: string,
    read: ReadStored<Found>,
    counts: StatsRecorder["counts"],
  ) {
    this.fullKey = full(key);
    this.#caller = caller;
    this.#key = key;
    this.#read = read;
    this.#counts = counts;
  }

  /** Only for a read that travels by itself: those of a tick share an MGET. */
  get commands(): readonly Command[] {
    return [["GET", this.fullKey]];
  }

  read(replies: readonly Reply[], at: number): Found {
    const found = this.#read(this.#caller, this.#key, replies[at], this);
    if (found instanceof Promise) return found.then((value) => this.#counted(value)) as Found;
    if (found === undefined) this.#counts.misses++;
    else this.#counts.hits++;
    return found;
  }

  #counted(found: Found): Found {
    this.#counts[found === undefined ? "misses" : "hits"]++;
    return found;
  }
}

const encoder = new TextEncoder();

export function createValues(
  codec: Codec,
  maxValueBytes: number,
  events: Events<CacheEvents>,
  stats: StatsRecorder,
  opened: Opening,
  isRequired: boolean,
): Values {
  /** Its length in bytes when that is over the limit. */
  const excess = (stored: string | Uint8Array): number | undefined => {
    // A UTF-16 unit is at most three bytes: most texts need no encoding to be measured.
    if (typeof stored === "string" && stored.length * 3 <= maxValueBytes) return undefined;
    const bytes = typeof stored === "string" ? encoder.encode(stored).length : stored.length;
    return bytes > maxValueBytes ? bytes : undefined;
  };
  const fromItem: Values["fromItem"] = (operation, key, reply) => {
    if (reply === null || reply === undefined) return undefined;
    if (typeof reply === "number") return reply;
    if (typeof reply === "object" && isCommandError(reply)) throw reply;
    try {
      return codec.decode(reply as string | Uint8Array);
    } catch (error) {
      stats.counts.errors++;
      events.emit("error", { operation, key, error: error as Error });
      return undefined;
    }
  };
  const copiesOfBody: Values["copiesOfBody"] = (operation, key, body) => {
    const first = fromItem(operation, key, body);
    if (first === undefined) return undefined;
    let isTaken = false;
    return () => {
      if (typeof first !== "object" || first === null) return first;
      if (isTaken) return codec.decode(body as string | Uint8Array);
      isTaken = true;
      return first;
    };
  };
  return {
    toBody: (value) => codec.encode(value),
    fits(key, stored) {
      const bytes = excess(stored);
      if (bytes === undefined) return true;
      stats.counts.skipped++;
      events.emit("skipped", { key, bytes, maxValueBytes });
      return false;
    },
    toItem(kind, place, value) {
      const stored = codec.encode(value);
      const bytes = excess(stored);
      if (bytes === undefined) return stored;
      throw new RangeError(
        `Expected ${kind === "item" ? "an item for the list" : "a message for the channel"} ` +
          `${JSON.stringify(place.slice(0, 40))} of at most ${maxValueBytes} bytes, got ${bytes}; store less, or ` +
          "raise `maxValueBytes`",
      );
    },
    fromItem,
    fromStored: (operation, key, reply, read) =>
      isRequired || mayHaveHeader(reply)
        ? opened(reply, read, (body) => fromItem(operation, key, body))
        : fromItem(operation, key, reply),
    copiesOf: (operation, key, reply, read) =>
      isRequired || mayHaveHeader(reply)
        ? opened(reply, read, (body) => copiesOfBody(operation, key, body))
        : copiesOfBody(operation, key, reply),
    copiesOfBody,
  };
}

/** Most values show by their first character that they have no header. */
function mayHaveHeader(stored: Reply | undefined): stored is string | Uint8Array {
  const isText = typeof stored === "string";
  if (!isText && !(stored instanceof Uint8Array)) return false;
  const first = isText ? stored.charCodeAt(0) : stored[0];
  return (first === firstOfText || first === firstOfBytes || first === firstOfTextForm) && beginsAsEntry(stored);
}

const toStored = (body: string | Uint8Array): string | Uint8Array => (mayHaveHeader(body) ? plainEntry(body) : body);
