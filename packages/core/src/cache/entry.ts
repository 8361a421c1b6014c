import { sealed, unseal } from "../codecs/envelope.ts";
import { letter } from "./entry-start.ts";

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
  readonly freshUntilMs?: number | undefined;
  /** How long the loader took. */
  readonly loadMs?: number | undefined;
  /** The tags of the value, each as it stood when the load of the value began. */
  readonly markers?: readonly TagMarker[] | undefined;
  /** There is no value: a process is loading it. Every read treats it as a miss. */
  readonly placeholder?: Placeholder | undefined;
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

/** Puts a header before what a codec wrote. */
export function withHeader(
  { freshUntilMs: f, loadMs: l, markers: t, placeholder }: EntryHeader,
  written: string | Uint8Array,
): string | Uint8Array {
  const header: StoredHeader = { f, l, t, p: placeholder && [placeholder.token, placeholder.expectedMs] };
  const line = `1${JSON.stringify(header)}\n`;
  if (typeof written === "string") return `~${line}${written}`;
  const head = new TextEncoder().encode(line);
  const { stored, body } = sealed(letter, head.length + written.length);
  body.set(head);
  body.set(written, head.length);
  return stored;
}

/**
 * Splits what is stored into header and body.
 *
 * @returns undefined when it has no header: then all of it is what the codec wrote.
 */
export function openEntry(stored: string | Uint8Array): Entry | undefined {
  const isText = typeof stored === "string" && stored.startsWith("~");
  const entry = isText ? stored.slice(1) : unseal(letter, stored);
  if (!entry) return undefined;
  const end = typeof entry === "string" ? entry.indexOf("\n") : entry.indexOf(0x0a);
  const line = entry.slice(0, Math.max(end, 0));
  const header = readHeader(typeof line === "string" ? line : new TextDecoder().decode(line));
  return header && { header, body: entry.slice(end + 1) };
}

/** Whether a plain read may return the value: it is there, and fresh. */
export function isFresh({ placeholder, freshUntilMs }: EntryHeader): boolean {
  return !placeholder && (freshUntilMs === undefined || Date.now() < freshUntilMs);
}

/** @returns undefined when it is no header: another client's text may begin like one. */
function readHeader(line: string): EntryHeader | undefined {
  if (!line.startsWith("1{")) return undefined;
  try {
    const { f, l, t, p } = JSON.parse(line.slice(1)) as StoredHeader;
    const isNumber = [f, l].every((field) => field === undefined || typeof field === "number");
    const isList = [t, p, ...(Array.isArray(t) ? t : [])].every((field) => field === undefined || Array.isArray(field));
    if (!isNumber || !isList) return undefined;
    return { freshUntilMs: f, loadMs: l, markers: t, placeholder: p && { token: p[0], expectedMs: p[1] } };
  } catch {
    return undefined;
  }
}
