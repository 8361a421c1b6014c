import { ConfigError } from "@continuum-cache/core";

/**
 * How header fields show limits.
 *
 * - `draft-10`: `RateLimit-Policy: "api";q=100;w=60` and `RateLimit: "api";r=42;t=17`, as in draft 10 of the IETF. `t`
 *   is the seconds until more is free.
 * - `draft-7`: `RateLimit-Policy: 100;w=60` and `RateLimit: limit=100, remaining=42, reset=17`. `reset` is the seconds
 *   until all is free again, or, on a refusal, the same as `Retry-After`.
 * - `legacy`: `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`. The last is the time at which all
 *   is free again, in whole seconds since 1970 (UTC).
 */
export type HeaderFormat = "draft-10" | "draft-7" | "legacy";

const formats: readonly HeaderFormat[] = ["draft-10", "draft-7", "legacy"];

/** @throws ConfigError when one is unknown, or two of them write the same fields. */
export function readFormats(setting: string, given: HeaderFormat | readonly HeaderFormat[]): readonly HeaderFormat[] {
  const chosen: readonly HeaderFormat[] = Array.isArray(given) ? given : [given as HeaderFormat];
  for (const format of chosen) {
    if (formats.includes(format)) continue;
    const known = formats.map((name) => JSON.stringify(name)).join(", ");
    throw new ConfigError(setting, `Expected \`${setting}\` to be of ${known}, got ${JSON.stringify(format)}`);
  }
  if (chosen.includes("draft-10") && chosen.includes("draft-7")) {
    throw new ConfigError(
      setting,
      `"draft-10" and "draft-7" write the same fields in ways that exclude each other: choose one for ` +
        `\`${setting}\`; "legacy" goes with either`,
    );
  }
  return chosen;
}
