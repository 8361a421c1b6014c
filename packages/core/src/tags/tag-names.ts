import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import { internalPrefix } from "../keys/internal-keys.ts";
import { assertKey } from "../keys/key-limit.ts";
import { isWellFormed } from "../text/text.ts";

/** The most tags of one value: all its markers are read with it. */
const maxTags = 64;

/**
 * The keys of markers. A tag stands here with its scope before it: the key prefix of its cache, and the path of its
 * namespace. The tag of a namespace itself is the empty one of its scope.
 */
export const hardKey = (tag: string): string => `${internalPrefix}tag:${tag}`;
export const softKey = (tag: string): string => `${internalPrefix}soft-tag:${tag}`;
export const latestKey = (scope: string): string => `${internalPrefix}latest-tag:${scope}`;

/**
 * Checks tags, and drops repeated ones.
 *
 * @throws ConfigError when they are no list: a text would be taken for a list of its letters.
 * @throws TypeError when one is no non-empty, well-formed string.
 * @throws RangeError when one is too long.
 */
export function readTags(tags: unknown): readonly string[] {
  if (!Array.isArray(tags)) {
    throw new ConfigError("tags", `Expected \`tags\` to be a list of texts such as ["user:7"], got ${quoted(tags)}`);
  }
  for (const tag of tags) {
    if (typeof tag !== "string" || tag === "" || !isWellFormed(tag)) {
      throw new TypeError(`Expected a tag to be a non-empty, well-formed string, got ${quoted(tag)}`);
    }
    assertKey(softKey(tag));
  }
  return [...new Set(tags as string[])];
}

/**
 * The same for all tags of one value, from several lists.
 *
 * @throws RangeError when there are too many too.
 */
export function readTagsOfValue(...lists: readonly unknown[]): readonly string[] {
  const distinct = [...new Set(lists.flatMap(readTags))];
  if (distinct.length > maxTags) {
    throw new RangeError(
      `Expected at most ${maxTags} tags for a value, got ${distinct.length}; use one tag for what is always ` +
        "invalidated together",
    );
  }
  return distinct;
}
