import { ConfigError } from "@continuum-cache/core";
import { type ChunkLimits, textOption, toMessageText, toMs } from "@continuum-cache/core/kit";
import { packDelayed } from "./message-fields.ts";
import type { MessageOptions } from "./options.ts";
import type { PriorityStream, QueueSettings } from "./settings.ts";

/** A message on its way to Redis. */
export interface PendingPush {
  readonly id: string;
  /** The caller chose the id: the message is pushed only once. */
  readonly isUnique: boolean;
  /** Tells this push from another of the same id; empty unless `isUnique`. */
  readonly nonce: string;
  readonly stream: PriorityStream;
  readonly text: string;
  /** The memory it takes in this process. */
  readonly bytes: number;
  /** 0: none. */
  readonly delayMs: number;
  /** Set after an attempt whose outcome is unknown: the message may be in its stream. */
  uncertain?: UncertainAttempt;
}

interface UncertainAttempt {
  /** When the first such attempt left, by `performance.now()`. */
  readonly atMs: number;
  /** The entry can't stand before this in its stream, in ms, by the server's clock. */
  readonly afterMs: number;
}

const maxIdBytes = 1_024;
/** The memory beside id and text, roughly. */
const overheadBytes = 300;
const encoder = new TextEncoder();
const scratch = new Uint8Array(4_096);

/**
 * @param otherwise - The priority if the options name none.
 * @throws ConfigError, RangeError or CodecError when it can't be a message; nothing was sent.
 */
export function toPendingPush(
  event: unknown,
  { id, delay, priority }: MessageOptions,
  settings: QueueSettings,
  otherwise?: string,
): PendingPush {
  if (id !== undefined) assertId(id);
  const name = priority === undefined ? otherwise : priority;
  const stream = name === undefined ? settings.defaultStream : settings.keys.of(name);
  const delayMs = delay === undefined || delay === 0 ? 0 : toMs(delay, "delay");
  const text = toMessageText(settings.codec.encode(event));
  const bytes = bytesOf(text);
  const { maxEventBytes: most } = settings;
  if (bytes > most) {
    throw new RangeError(
      `Expected an event of at most ${most} bytes, got ${bytes}; send less, or raise \`maxEventBytes\``,
    );
  }
  return {
    id: id ?? uniqueText(),
    isUnique: id !== undefined,
    nonce: id === undefined ? "" : uniqueText(),
    stream,
    text,
    bytes: bytes + overheadBytes,
    delayMs,
  };
}

/** A message without a caller's id and without a delay. */
export const plainPush = (id: string, text: string, stream: PriorityStream): PendingPush => ({
  id,
  isUnique: false,
  nonce: "",
  stream,
  text,
  bytes: bytesOf(text) + overheadBytes,
  delayMs: 0,
});

/** The member of the set of delayed messages: the same for the same push, whenever it arrives. */
export const delayedMember = ({ id, stream, text, delayMs }: PendingPush): string =>
  packDelayed({ i: id, e: text, p: stream.name, t: `-${delayMs}` });

/** Most texts are short: their bytes are counted without an allocation. */
function bytesOf(text: string): number {
  return text.length * 3 <= scratch.length ? encoder.encodeInto(text, scratch).written : encoder.encode(text).length;
}

function assertId(id: string): void {
  textOption("id", id, /^[^\p{Cc}\p{Surrogate}]+$/u, "one line of whole characters");
  const bytes = bytesOf(id);
  if (bytes > maxIdBytes) {
    throw new ConfigError("id", `Expected \`id\` to be at most ${maxIdBytes} bytes, got ${bytes}`);
  }
}

/** The most pushes of one round trip. */
export const batchLimits: Required<Omit<ChunkLimits<PendingPush>, "isAlike">> = {
  items: 200,
  size: 256 << 10,
  sizeOf: ({ bytes }) => bytes,
};

let prefix: string | undefined;
let count = 0;

/** A unique text for each message. Its random part is drawn once per process. */
function uniqueText(): string {
  // Drawn at the first call: Workers refuse random numbers outside of a request.
  prefix ??= crypto.randomUUID().replaceAll("-", "");
  return `${prefix}-${(count++).toString(36)}`;
}
