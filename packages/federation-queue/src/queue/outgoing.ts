import { ConfigError, toMessageText, toMs } from "@continuum-cache/core";
import type { MessageOptions } from "../push-options.ts";
import { assertText } from "../settings/read-options.ts";
import { type MessageFields, packDelayed, writeFields } from "./message-fields.ts";
import type { Source } from "./queue-keys.ts";
import type { QueueSettings } from "./queue-settings.ts";
import { uniqueText } from "./unique-text.ts";

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

/** @throws ConfigError, RangeError or CodecError when it can't be a message; nothing was sent then. */
export function outgoing(event: unknown, options: MessageOptions, settings: QueueSettings): Outgoing {
  const { id, priority = settings.defaultPriority, delay } = options;
  if (id !== undefined) assertId(id);
  const source = settings.keys.of(priority);
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

/** A push as something that can be sent: a plain command where that is enough. */
export type PushRequest =
  | { readonly kind: "plain"; readonly command: readonly [string, ...(string | number)[]] }
  | { readonly kind: "script"; readonly keys: readonly string[]; readonly args: readonly (string | number)[] };

/** Whether XADD alone pushes it. */
export const isPlain = ({ delayMs, isUnique, tried }: Outgoing): boolean => delayMs === 0 && !isUnique && !tried;

/** @param floorMs - The least time that is kept, by the server's clock; 0: not known. */
export function pushRequest(
  out: Outgoing,
  { keys, retentionMs, timeoutMs }: QueueSettings,
  floorMs: number,
): PushRequest {
  const { id, source, text, delayMs, isUnique, nonce, tried } = out;
  const message: Pick<MessageFields, "i" | "e"> = { i: id, e: text };
  if (isPlain(out)) {
    const trim = floorMs > 0 ? ["MINID", "~", floorMs] : [];
    return { kind: "plain", command: ["XADD", source.key, ...trim, "*", ...writeFields(message)] };
  }
  const doubtMs = tried ? Math.ceil(performance.now() - tried.atMs) + timeoutMs : 0;
  const words = delayMs > 0 ? [delayedMember(out)] : writeFields(message);
  return {
    kind: "script",
    keys: [delayMs > 0 ? keys.delayed : source.key, ...(isUnique ? [keys.marker(id)] : [])],
    args: [
      retentionMs + delayMs,
      nonce,
      delayMs > 0 ? delayMs : "",
      doubtMs,
      tried?.afterMs ?? 0,
      floorMs > 0 ? floorMs : "",
      ...words,
    ],
  };
}

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
