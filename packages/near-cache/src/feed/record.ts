import type { Command, Reply } from "@continuum-cache/core";
import { invalidationStream } from "@continuum-cache/core/kit";
import type { StreamId } from "./stream-id.ts";

/** What an entry of the stream invalidates. Keys and globs have the prefix. */
export type Invalidation =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "glob"; readonly glob: string }
  | { readonly kind: "tag"; readonly tag: string }
  /** What a later version of this package has written, and this one can't read. */
  | { readonly kind: "unknown" };

/** One entry of the stream. */
export interface Entry {
  readonly id: StreamId;
  /** Its fields as a text, which no other entry has. */
  readonly text: string;
  readonly invalidations: readonly Invalidation[];
}

/**
 * The stream is trimmed to about so many entries. A process that has not looked for longer than they last starts anew
 * with nothing held.
 */
const maxEntries = 4_096;

/** The first field of each entry: after a failover another entry may get the id of one that was lost. */
const nonceField = "n";

const fieldOf = { key: "k", glob: "g", tag: "t" } as const;

/** Announces invalidations. Without any it only gives the stream an entry. */
export function announcement(invalidations: readonly Invalidation[]): Command {
  const fields = invalidations.flatMap(fieldsOf);
  return ["XADD", invalidationStream, "MAXLEN", "~", maxEntries, "*", nonceField, nonce(), ...fields];
}

function fieldsOf(one: Invalidation): readonly string[] {
  switch (one.kind) {
    case "key":
      return [fieldOf.key, one.key];
    case "glob":
      return [fieldOf.glob, one.glob];
    case "tag":
      return [fieldOf.tag, one.tag];
    case "unknown":
      return [];
  }
}

const nonce = (): string => Math.random().toString(36).slice(2, 10);

/** Reads entries as XRANGE answers them; undefined for what is none. */
export function readEntries(reply: Reply | undefined): Entry[] | undefined {
  if (!Array.isArray(reply)) return undefined;
  const entries: Entry[] = [];
  for (const entry of reply as readonly Reply[]) {
    const [id, fields] = Array.isArray(entry) ? (entry as readonly Reply[]) : [];
    if (typeof id !== "string" || !Array.isArray(fields)) return undefined;
    entries.push({ id, text: JSON.stringify(fields), invalidations: readFields(fields as readonly Reply[]) });
  }
  return entries;
}

function readFields(fields: readonly Reply[]): Invalidation[] {
  const all: Invalidation[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const field = fields[at];
    if (field !== nonceField) all.push(invalidationOf(field, fields[at + 1]));
  }
  return all;
}

function invalidationOf(field: Reply | undefined, text: Reply | undefined): Invalidation {
  if (typeof text !== "string") return { kind: "unknown" };
  switch (field) {
    case fieldOf.key:
      return { kind: "key", key: text };
    case fieldOf.glob:
      return { kind: "glob", glob: text };
    case fieldOf.tag:
      return { kind: "tag", tag: text };
    default:
      return { kind: "unknown" };
  }
}
