import { ConfigError } from "@continuum-cache/core";
import { type ChunkLimits, toMessageText, toMs } from "@continuum-cache/core/kit";
import { assertText } from "../shared/read-options.ts";
import { packDelayed } from "./message-fields.ts";
import type { MessageOptions } from "./options.ts";
import type { Source } from "./queue-keys.ts";
import type { QueueSettings } from "./settings.ts";

/** A message on its way to Redis. */
export interface Outgoing {
  readonly id: string;
  /** The caller has chosen the id: it is pushed once only. */
  readonly isUnique: boolean;
  /** Tells this push from another of the same id; empty where nobody looks. */
  readonly nonce: string;
  readonly source: Source;
  readonly text: string;
  /** What it takes in this process. */
  readonly bytes: number;
  /** 0: none. */
  readonly delayMs: number;
  /** There was an attempt with an outcome that nobody knows. */
  tried?: Attempt;
}

/** A push that may have been done. */
interface Attempt {
  /** When it left, by `performance.now()`. */
  readonly atMs: number;
  /** It can't stand before this in its stream, in ms, by the server's clock. */
  readonly afterMs: number;
}

const maxIdBytes = 1_024;
/** What is kept beside id and text, roughly. */
const overheadBytes = 300;
const encoder = new TextEncoder();
const scratch = new Uint8Array(4_096);

/**
 * @param otherwise - Its priority, where the options name none.
 * @throws ConfigError, RangeError or CodecError when it can't be a message; nothing was sent then.
 */
export function outgoing(
  event: unknown,
  { id, delay, priority }: MessageOptions,
  settings: QueueSettings,
  otherwise?: string,
): Outgoing {
  if (id !== undefined) assertId(id);
  const asked = priority === undefined ? otherwise : priority;
  const source = asked === undefined ? settings.defaultSource : settings.keys.of(asked);
  const delayMs = delay === undefined || delay === 0 ? 0 : toMs(delay, "delay");
  const text = toMessageText(settings.codec.encode(event));
  const bytes = bytesOf(text);
  if (bytes > settings.maxEventBytes) {
    throw new RangeError(
      `Expected an event of at most ${settings.maxEventBytes} bytes, got ${bytes}; send less, or raise \`maxEventBytes\``,
    );
  }
  return {
    id: id ?? uniqueText(),
    isUnique: id !== undefined,
    nonce: id === undefined ? "" : uniqueText(),
    source,
    text,
    bytes: bytes + overheadBytes,
    delayMs,
  };
}

/** A message without an id of its caller's, and without a delay. */
export const plainOutgoing = (id: string, text: string, source: Source): Outgoing => ({
  id,
  isUnique: false,
  nonce: "",
  source,
  text,
  bytes: bytesOf(text) + overheadBytes,
  delayMs: 0,
});

/** The same for the same push, whenever it arrives. */
export const delayedMember = ({ id, source, text, delayMs }: Outgoing): string =>
  packDelayed({ i: id, e: text, p: source.name, t: `-${delayMs}` });

/** Most texts are short: they are counted without making anything new. */
function bytesOf(text: string): number {
  return text.length * 3 <= scratch.length ? encoder.encodeInto(text, scratch).written : encoder.encode(text).length;
}

function assertId(id: unknown): asserts id is string {
  assertText("id", id, /^[^\p{Cc}\p{Surrogate}]+$/u, "one line of whole characters");
  const bytes = bytesOf(id);
  if (bytes > maxIdBytes) {
    throw new ConfigError("id", `Expected \`id\` to be at most ${maxIdBytes} bytes, got ${bytes}`);
  }
}

/** What one trip may carry. */
export const tripLimits: Required<Omit<ChunkLimits<Outgoing>, "isAlike">> = {
  items: 200,
  size: 256 << 10,
  sizeOf: ({ bytes }) => bytes,
};

let prefix: string | undefined;
let count = 0;

/** A unique text. What is random in it is drawn once for each process, since there is one for each message. */
function uniqueText(): string {
  // Not before it is needed: Workers draw nothing outside of a request.
  prefix ??= crypto.randomUUID().replaceAll("-", "");
  return `${prefix}-${(count++).toString(36)}`;
}
