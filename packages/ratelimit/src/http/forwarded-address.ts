import { ConfigError } from "@continuum-cache/core";

/**
 * Reads the client's address from `X-Forwarded-For`. Each proxy appends the address that it was called from, so the
 * client's is the one that the outermost of your own proxies has written. The addresses left of it came from the
 * client, which may write anything.
 *
 * @param header - The field's value, such as `request.headers.get("x-forwarded-for")`.
 * @param trustedProxies - How many proxies of yours stand before this server: 1 is the one that calls it.
 * @throws TypeError when there are fewer addresses than proxies: the call did not come through all of them.
 * ConfigError when the number is none.
 *
 * @example
 * ```ts
 * import { clientKey, forwardedAddress } from "@continuum-cache/ratelimit";
 *
 * const keyOf = (request: Request, user?: { id: string }) =>
 *   user ? `user:${user.id}` : clientKey(forwardedAddress(request.headers.get("x-forwarded-for"), 1));
 * ```
 */
export function forwardedAddress(header: string | null | undefined, trustedProxies: number): string {
  assertHops(trustedProxies);
  const addresses = typeof header === "string" ? header.split(",") : [];
  const address = addresses.at(-trustedProxies);
  if (address !== undefined) return address.trim();
  throw new TypeError(
    `Expected X-Forwarded-For to hold an address for each of \`trustedProxies\` (${trustedProxies}), got ` +
      `${addresses.length}: the request did not come through all of them. Fix the number, or close the way past the ` +
      "proxies; `skip` lets a health check pass",
  );
}

/** @throws ConfigError when it is no number of proxies. */
export function assertHops(trustedProxies: number): void {
  if (Number.isSafeInteger(trustedProxies) && trustedProxies >= 1) return;
  throw new ConfigError(
    "trustedProxies",
    `Expected \`trustedProxies\` to be a whole number of at least 1, got ${String(trustedProxies)}: count your ` +
      "proxies, or leave it out where there are none",
  );
}
