import { ConfigError } from "@continuum-cache/core";
import { assertOptions, type KnownOptions, wholeNumberOption } from "@continuum-cache/core/kit";
import { readScope, windowOf } from "../limits/limit-request.ts";
import type { RateLimit } from "../types.ts";
import type { KeyOf, RequestLimit, RequestLimitOptions } from "./request-limit-options.ts";

/** One limit that all requests are under, and how to get the id that a request is counted for. */
export interface RequestRule<Input extends readonly unknown[]> {
  readonly key: KeyOf<Input>;
  readonly limit: Partial<RateLimit>;
}

const knownOfLimit: KnownOptions<RequestLimit<readonly unknown[]>> = {
  window: true,
  limit: true,
  scope: true,
  burst: true,
  key: true,
};

/**
 * Reads the limits in the options: one, or several.
 *
 * @param defaultKey - Called once, and only if a limit needs it: it throws when there is no address to read.
 * @throws ConfigError when a limit is wrong, or when two of them exclude each other.
 */
export function readRules<Input extends readonly unknown[]>(
  options: RequestLimitOptions<Input, unknown>,
  defaultKey: () => KeyOf<Input>,
): readonly RequestRule<Input>[] {
  const { limits, window, limit, burst, scope } = options;
  const own = defined({ window, limit, burst, scope });
  if (limits && Object.keys(own).length > 0) {
    const names = Object.keys(own).map((name) => `\`${name}\``);
    throw new ConfigError(
      "limits",
      `Expected \`limits\` or one limit, got both: move ${names.join(", ")} into \`limits\``,
    );
  }
  if (limits !== undefined && !Array.isArray(limits)) {
    throw new ConfigError("limits", `Expected \`limits\` to be an array of limits, got ${typeof limits}`);
  }
  const given: readonly RequestLimit<Input>[] = limits ?? [own];
  for (const each of given) assertOptions<object>("Each of `limits`", each, knownOfLimit);
  if (given.length === 0) throw new ConfigError("limits", "Expected `limits` to hold at least one limit, got none");
  let shared: KeyOf<Input> | undefined;
  const sharedKey = (): KeyOf<Input> => {
    shared ??= defaultKey();
    return shared;
  };
  const rules = given.map(({ key = sharedKey(), window, limit, burst, scope }) => {
    if (typeof key === "function") return { key, limit: defined({ window, limit, burst, scope }) };
    throw new ConfigError("key", `Expected \`key\` to be a function of the request, got ${typeof key}`);
  });
  assertApart(rules.map((rule) => rule.limit));
  return rules;
}

/** Two kinds of ids that are counted under one name would be mixed up. */
function assertApart(limits: readonly Partial<RateLimit>[]): void {
  const labels = limits.map(({ scope = "default", window, limit, burst }) => {
    if (limit !== undefined) wholeNumberOption("limit", limit);
    if (burst !== undefined) wholeNumberOption("burst", burst);
    return `${window === undefined ? "" : windowOf(window)} ${readScope(scope)}`;
  });
  if (new Set(labels).size === labels.length) return;
  throw new ConfigError("limits", 'Expected limits of the same window to have different scopes: add `scope: "user"`');
}

/** Drops options that are `undefined`, so that they do not hide a limiter's default. */
const defined = (limit: { readonly [Name in keyof RateLimit]?: RateLimit[Name] | undefined }): Partial<RateLimit> =>
  Object.fromEntries(Object.entries(limit).filter(([, value]) => value !== undefined));
