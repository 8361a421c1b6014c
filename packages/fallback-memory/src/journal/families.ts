import { escapeGlob } from "@continuum-cache/core";

/** Keys that begin alike, and the glob that matches them all. */
export interface Family {
  readonly prefix: string;
  readonly keys: readonly string[];
}

/** The glob for all keys of a family. */
export const globOf = (prefix: string): string => `${escapeGlob(prefix)}*`;

/** The text that every key of a glob begins with: what stands before its first special character. */
export function prefixOf(glob: string): string {
  const literal = /^(?:[^*?[\\]|\\.)*/s.exec(glob)?.[0] ?? "";
  return literal.replace(/\\(.)/gs, "$1");
}

/**
 * Sorts keys into at most `most` families, as fine as that allows: by what stands before their last `:`, else before the
 * one before it, and so on; at the coarsest by what all of them begin with.
 */
export function familiesOf(keys: readonly string[], most: number): Family[] {
  let families = grouped(keys.map((key) => [key, key.lastIndexOf(":") + 1]));
  while (families.size > most) {
    const coarser = grouped(
      [...families].flatMap(([prefix, members]) => members.map((key) => [key, parentEnd(prefix)])),
    );
    if (coarser.size === families.size) break;
    families = coarser;
  }
  const sorted = [...families.values()].map((members) => ({ prefix: commonPrefix(members), keys: members }));
  return sorted.length > most ? [{ prefix: commonPrefix(keys), keys }] : sorted;
}

function grouped(cuts: readonly (readonly [key: string, end: number])[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, end] of cuts) {
    const prefix = key.slice(0, end);
    const group = groups.get(prefix);
    if (group) group.push(key);
    else groups.set(prefix, [key]);
  }
  return groups;
}

/** Where the level above ends: behind the `:` before the one that ends this prefix. */
const parentEnd = (prefix: string): number => prefix.lastIndexOf(":", prefix.length - 2) + 1;

/** What the family is named by: up to a `:` that all have, or, where there is none, what all begin with. */
function commonPrefix(keys: readonly string[]): string {
  let prefix = keys[0] ?? "";
  for (const key of keys) {
    let same = 0;
    while (same < prefix.length && prefix[same] === key[same]) same++;
    prefix = prefix.slice(0, same);
  }
  const end = prefix.lastIndexOf(":") + 1;
  return end > 0 ? prefix.slice(0, end) : prefix;
}
