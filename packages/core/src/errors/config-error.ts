import { brand, hasBrand } from "./brand.ts";
import { redact } from "./quoted.ts";

/**
 * A setting is wrong. Thrown at construction, before anything is touched; names the setting and the fix, and never
 * prints a token or a password.
 *
 * @example
 * ```ts
 * import { ConfigError } from "@continuum-cache/core";
 *
 * throw new ConfigError("url", "Expected `url` to start with redis:// or rediss://, got \"http:\"");
 * ```
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** The option or environment variable to fix. */
  readonly setting: string;

  constructor(setting: string, message: string, options?: { readonly cause?: unknown }) {
    super(redact(message), options);
    brand(this, "ConfigError");
    this.setting = setting;
  }
}

/** Tells a `ConfigError` also when it comes from another copy of this package. */
export function isConfigError(value: unknown): value is ConfigError {
  return hasBrand(value, "ConfigError");
}
