import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";

/**
 * Checks that settings for TLS are PEM: the mistake is to give the path of a file in the place of what is in it.
 *
 * @param pem - A text, the bytes of a file, or a list of them.
 * @throws ConfigError when one of them is neither; the message never holds a key.
 *
 * @example
 * ```ts
 * import { assertPem } from "@continuum-cache/core/kit";
 *
 * assertPem("tls.ca", "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n");
 * ```
 */
export function assertPem(setting: string, pem: unknown): void {
  for (const one of Array.isArray(pem) ? (pem as unknown[]) : [pem]) {
    const text = one instanceof Uint8Array ? new TextDecoder("latin1").decode(one) : one;
    if (typeof text === "string" && text.includes("-----BEGIN ")) continue;
    const got = typeof text === "string" ? `${text.length} characters without a line "-----BEGIN …"` : quoted(one);
    throw new ConfigError(
      setting,
      `Expected \`${setting}\` to be PEM, as text or as the bytes of a file, got ${got} (a path? read the file first)`,
    );
  }
}
