import { magic, seal, unseal } from "../codecs/envelope.ts";

/**
 * What is stored under a key: what the codec wrote, and before it a header where an option needs one.
 *
 * A header is one line: `~1`, a JSON object, a line feed. Behind it stands the body, what the codec wrote. No JSON
 * text, no number and no text form of a sealed value begins with `~`. Before bytes the line stands without `~` inside
 * an envelope of the letter `h`, so bytes stay bytes. The fields of the JSON object, all of them optional:
 *
 * | field | meaning |
 * | --- | --- |
 * | `f` | until when the value is fresh, in milliseconds since 1970 |
 * | `l` | how long its loader took, in milliseconds |
 * | `t` | its tags, `[tag, hard marker, soft marker]` each |
 * | `p` | `[token, expected milliseconds]`: a process is loading the value, and nothing is stored yet |
 *
 * Fields of other names are ignored. A change that older readers must not ignore needs another number behind `~`.
 */
export interface Entry {
  readonly header: EntryHeader;
  /** What the codec wrote; empty in a placeholder. */
  readonly body: string | Uint8Array;
}

/** What stands before a value. */
export interface EntryHeader {
  /** From then on readers treat the value as a miss, unless their options allow a stale one. By the wall clock. */
  readonly freshUntilMs?: number;
  /** How long the loader took. */
  readonly loadMs?: number;
  /** The tags of the value, each as it stood when the load of the value began. */
  readonly markers?: readonly TagMarker[];
  /** There is no value: a process is loading it. Every read treats it as a miss. */
  readonly placeholder?: Placeholder;
}

/** A tag, and the texts of its last hard and its last soft invalidation. */
export type TagMarker = readonly [tag: string, hard: string, soft: string];

/** What a process stores while it loads a value. */
export interface Placeholder {
  /** Names the load. */
  readonly token: string;
  /** How long the load is expected to take. */
  readonly expectedMs: number;
}

/** The field names in a stored header. */
interface StoredHeader {
  readonly f?: number | undefined;
  readonly l?: number | undefined;
  readonly t?: readonly TagMarker[] | undefined;
  readonly p?: readonly [token: string, expectedMs: number] | undefined;
}

const textMark = "~1{";
const letter = "h";
const lineFeed = 0x0a;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How an entry with a header begins: `~`, the first byte of an envelope, or `=`, its text form. */
export const firstOfText: number = 0x7e;
export const firstOfBytes: number = magic;
export const firstOfTextForm: number = 0x3d;

/** Puts a header before what a codec wrote. */
export function withHeader(header: EntryHeader, body: string | Uint8Array): string | Uint8Array {
  const { freshUntilMs, loadMs, markers, placeholder } = header;
  const stored: StoredHeader = {
    f: freshUntilMs,
    l: loadMs,
    t: markers,
    p: placeholder && [placeholder.token, placeholder.expectedMs],
  };
  const line = `1${JSON.stringify(stored)}\n`;
  if (typeof body === "string") return `~${line}${body}`;
  const head = encoder.encode(line);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return seal(letter, bytes);
}

/**
 * What to store of a value that needs no header: the codec's own writing. A writing that itself looks like an entry
 * with a header, as a codec of raw text may produce it, gets an empty header, so that it is read back as it was.
 */
export function plainEntry(written: string | Uint8Array): string | Uint8Array {
  return openEntry(written) ? withHeader({}, written) : written;
}

/**
 * Splits what is stored into header and body.
 *
 * @returns undefined when it has no header: then all of it is what the codec wrote.
 */
export function openEntry(stored: string | Uint8Array): Entry | undefined {
  if (typeof stored === "string" && stored.charCodeAt(0) === firstOfText) {
    const end = stored.startsWith(textMark) ? stored.indexOf("\n") : -1;
    const header = end < 0 ? undefined : readHeader(stored.slice(2, end));
    return header && { header, body: stored.slice(end + 1) };
  }
  const bytes = unseal(letter, stored);
  if (!bytes) return undefined;
  const end = bytes.indexOf(lineFeed);
  const header = end < 0 ? undefined : readHeader(textOf(bytes.subarray(0, end)).slice(1));
  return header && { header, body: bytes.subarray(end + 1) };
}

/** What a plain read decodes: the codec's own writing; undefined for a placeholder, and when it is no longer fresh. */
export function freshBody(stored: string | Uint8Array): string | Uint8Array | undefined {
  const entry = openEntry(stored);
  if (!entry) return stored;
  return isFresh(entry.header) ? entry.body : undefined;
}

/** Whether a plain read may return the value: it is there, and fresh. */
export function isFresh({ placeholder, freshUntilMs }: EntryHeader): boolean {
  return placeholder === undefined && (freshUntilMs === undefined || Date.now() < freshUntilMs);
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return "";
  }
}

/** @returns undefined when it is no header: another client's text may begin like one. */
function readHeader(json: string): EntryHeader | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof stored !== "object" || stored === null || Array.isArray(stored)) return undefined;
  const { f, l, t, p } = stored as Record<keyof StoredHeader, unknown>;
  if (!isAbsentOr(isTime, f) || !isAbsentOr(isTime, l) || !isAbsentOr(isMarkers, t)) return undefined;
  if (!isAbsentOr(isPlaceholder, p)) return undefined;
  return {
    ...(f !== undefined && { freshUntilMs: f }),
    ...(l !== undefined && { loadMs: l }),
    ...(t !== undefined && { markers: t }),
    ...(p !== undefined && { placeholder: { token: p[0], expectedMs: p[1] } }),
  };
}

function isAbsentOr<Field>(is: (field: unknown) => field is Field, field: unknown): field is Field | undefined {
  return field === undefined || is(field);
}

const isTime = (field: unknown): field is number => typeof field === "number" && field >= 0;

const isMarkers = (field: unknown): field is readonly TagMarker[] =>
  Array.isArray(field) &&
  field.every(
    (marker) => Array.isArray(marker) && marker.length === 3 && marker.every((text) => typeof text === "string"),
  );

const isPlaceholder = (field: unknown): field is readonly [string, number] =>
  Array.isArray(field) && field.length === 2 && typeof field[0] === "string" && isTime(field[1]);
