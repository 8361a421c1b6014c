import { ConfigError } from "@continuum-cache/core";
import { assertOptions } from "@continuum-cache/core/kit";
import { parseAddress } from "./address.ts";

/** How addresses become keys. */
export interface ClientKeyOptions {
  /**
   * How many leading bits of an IPv6 address tell one client from another: 32 to 128. A subscriber of IPv6 has at least
   * a /64 of addresses to choose from, and often a /56. @default 56
   */
  readonly ipv6Prefix?: number;
}

/**
 * Makes the id of a client from its address. The id is the same however the address is written, and for all IPv6
 * addresses of one subscriber.
 *
 * Brackets, ports and zones are left out, and IPv4 inside of IPv6 is IPv4. A text that is no address is an error: if it
 * were an id, a client that can choose it would choose a new one for each call.
 *
 * @throws TypeError when the text is no address; it is not quoted, since addresses are personal. ConfigError when the
 * prefix is out of its range.
 *
 * @example
 * ```ts
 * import { clientKey } from "@continuum-cache/ratelimit";
 *
 * clientKey("203.0.113.7"); // "203.0.113.7"
 * clientKey("[::ffff:203.0.113.7]:8080"); // "203.0.113.7"
 * clientKey("2001:DB8:0:1ff:0:0:0:1"); // "2001:db8:0:100::/56"
 *
 * // A user's id where there is one; with a prefix, so that no id is an address.
 * const keyOf = (request: Request, user?: { id: string }) =>
 *   user ? `user:${user.id}` : clientKey(request.headers.get("cf-connecting-ip"));
 * ```
 */
export function clientKey(address: string | null | undefined, options: ClientKeyOptions = {}): string {
  assertOptions("clientKey", options, { ipv6Prefix: true });
  const { ipv6Prefix = 56 } = options;
  assertPrefix(ipv6Prefix);
  const read = typeof address === "string" ? parseAddress(address) : undefined;
  if (!read) {
    const got = typeof address === "string" ? `a text of ${address.length} characters` : String(address);
    throw new TypeError(
      `Expected an IPv4 or IPv6 address to limit a client by, got ${got}: check where it is read from, or set \`key\``,
    );
  }
  if (read.version === 4) return read.bytes.join(".");
  const kept = read.groups.slice(0, Math.ceil(ipv6Prefix / 16)).map((group, index) => {
    const bits = Math.min(16, ipv6Prefix - index * 16);
    return (group & (0xffff << (16 - bits))).toString(16);
  });
  return `${kept.join(":")}${kept.length < 8 ? "::" : ""}/${ipv6Prefix}`;
}

/** @throws ConfigError when it is no prefix length. */
export function assertPrefix(ipv6Prefix: number): void {
  if (Number.isInteger(ipv6Prefix) && ipv6Prefix >= 32 && ipv6Prefix <= 128) return;
  throw new ConfigError(
    "ipv6Prefix",
    `Expected \`ipv6Prefix\` to be a whole number of bits from 32 to 128, got ${String(ipv6Prefix)}`,
  );
}
