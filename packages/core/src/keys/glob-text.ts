/** A text as a glob that matches exactly that text. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^-]/g, "\\$&");
}

/** The text that every key of a glob begins with: what stands before its first special character. */
export function prefixOfGlob(glob: string): string {
  const literal = /^(?:[^*?[\\]|\\[^\ud800-\udbff])*/s.exec(glob)?.[0] ?? "";
  return literal.replace(/\\(.)/gs, "$1");
}

/**
 * Tells which keys may match a glob, for the price of comparing two texts: where the glob has no special character,
 * the key of its text, else all keys that begin as it does. For what does no harm to further keys; `compileGlob` is
 * exact.
 */
export function mayMatchGlob(glob: string): (key: string) => boolean {
  const prefix = prefixOfGlob(glob);
  return escapeGlob(prefix) === glob ? (key) => key === prefix : (key) => key.startsWith(prefix);
}
