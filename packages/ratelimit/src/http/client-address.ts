import { ConfigError } from "@continuum-cache/core";
import { assertPrefix, type ClientKeyOptions, clientKey } from "./client-key.ts";
import { assertHops, forwardedAddress } from "./forwarded-address.ts";

/** Where the address of a client is read from, if not from the connection. */
export interface ClientAddressOptions extends ClientKeyOptions {
  /**
   * How many proxies of yours stand between the client and this server, each of which appends to `X-Forwarded-For`: at
   * least 1. No client must be able to reach the server past them. @default X-Forwarded-For is not read
   */
  readonly trustedProxies?: number;
  /**
   * A field in which your platform writes the client's address, and which it takes away from what clients send:
   * `"cf-connecting-ip"` behind Cloudflare, `"fly-client-ip"` on Fly. @default none
   */
  readonly ipHeader?: string;
}

/** How to get the address of a client from a framework. */
export interface AddressSource<Input extends readonly unknown[]> {
  header(name: string, ...input: Input): string | null | undefined;
  /** The address of the connection. Absent where the framework does not know it. */
  readonly peer?: (...input: Input) => string | undefined;
  /** What to do when no address is known: the end of a sentence that begins with "set". */
  readonly fix: string;
}

/**
 * Returns the function that makes a key of a request.
 *
 * @throws ConfigError when an option is wrong, or none is enough.
 */
export function readClientKey<Input extends readonly unknown[]>(
  { trustedProxies, ipHeader, ipv6Prefix = 56 }: ClientAddressOptions,
  source: AddressSource<Input>,
): (...input: Input) => string {
  assertPrefix(ipv6Prefix);
  if (trustedProxies !== undefined && ipHeader !== undefined) {
    throw new ConfigError("ipHeader", "Expected `ipHeader` or `trustedProxies`, got both: an address has one source");
  }
  if (ipHeader !== undefined) {
    assertHeader(ipHeader);
    return (...input) => clientKey(source.header(ipHeader.toLowerCase(), ...input), { ipv6Prefix });
  }
  if (trustedProxies !== undefined) {
    assertHops(trustedProxies);
    return (...input) => {
      const header = source.header("x-forwarded-for", ...input);
      return clientKey(forwardedAddress(header, trustedProxies), { ipv6Prefix });
    };
  }
  const { peer } = source;
  if (!peer) {
    throw new ConfigError(
      "key",
      `Expected an option that says which client a request belongs to, since it holds no address: set ${source.fix}`,
    );
  }
  return (...input) => {
    const address = peer(...input);
    if (address) return clientKey(address, { ipv6Prefix });
    throw new TypeError(`Expected the connection to have an address to limit a client by, got none: set ${source.fix}`);
  };
}

function assertHeader(ipHeader: string): void {
  const isList = /^(x-forwarded-for|forwarded)$/i.test(ipHeader);
  if (!isList && typeof ipHeader === "string" && /^[!#$%&'*+.^_`|~\w-]+$/.test(ipHeader)) return;
  const got = JSON.stringify(ipHeader);
  throw new ConfigError(
    "ipHeader",
    isList
      ? `Expected \`ipHeader\` to be a field that clients can't write, got ${got}: use \`trustedProxies\`, the ` +
          "number of your proxies, for X-Forwarded-For"
      : `Expected \`ipHeader\` to be the name of a header field such as "cf-connecting-ip", got ${got}`,
  );
}
