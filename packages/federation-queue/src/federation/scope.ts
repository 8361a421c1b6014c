import { ConfigError } from "@continuum-cache/core";
import { compileGlob } from "@continuum-cache/core/kit";

/** Which keys are shared. */
export interface Scope {
  readonly globs: readonly string[];
  has(key: string): boolean;
  /**
   * The part of a glob that may be shared, as globs: narrowed when both are a prefix and a star, else the glob itself.
   */
  within(glob: string): readonly string[];
}

/** @throws ConfigError that quotes what came. */
export function createScope(scope: string | readonly string[]): Scope {
  const globs = [scope].flat() as readonly unknown[];
  if (globs.length === 0 || !globs.every((glob) => typeof glob === "string" && glob !== "")) {
    const wrong = globs.find((glob) => typeof glob !== "string" || glob === "");
    const got = globs.length === 0 ? "an empty list" : wrong === "" ? '""' : typeof wrong;
    throw new ConfigError(
      "scope",
      `Expected \`scope\` to be a pattern such as "memory:*", or a list of such, got ${got}`,
    );
  }
  const patterns = globs as readonly string[];
  const tests = patterns.map(compileGlob);
  return {
    globs: patterns,
    has: (key) => tests.some((test) => test(key)),
    within: (glob) => [...new Set(patterns.flatMap((own) => common(own, glob)))],
  };
}

/** The common keys of two globs: none, or a glob that matches at least those. */
function common(own: string, glob: string): readonly string[] {
  const [ownStart, start] = [literalStart(own), literalStart(glob)];
  if (!ownStart.startsWith(start) && !start.startsWith(ownStart)) return [];
  const isRest = (text: string, from: string): boolean => text === `${from}*`;
  if (isRest(own, ownStart) && start.startsWith(ownStart)) return [glob];
  return isRest(glob, start) && ownStart.startsWith(start) ? [own] : [glob];
}

const literalStart = (glob: string): string => /^[^*?[\]\\]*/.exec(glob)?.[0] ?? "";
