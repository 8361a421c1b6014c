import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { RequestFacts } from "@continuum-cache/program";

/**
 * Finds the address of the visitor, and whether its connection uses TLS.
 *
 * Each proxy appends the address of its own client to X-Forwarded-For, so with N proxies in front the N-th entry from
 * the right is the visitor's; the visitor can write what stands left of it. A request that did not come through all of
 * the proxies has no such entry: the address of its connection counts.
 */
export function requestFacts({ headers, socket }: IncomingMessage, trustedProxies: number): RequestFacts {
  const entries = (name: string): readonly string[] => {
    const list = trustedProxies === 0 ? [] : String(headers[name] ?? "").split(",");
    return list.map((entry) => entry.trim()).filter((entry) => entry !== "");
  };
  const client = entries("x-forwarded-for").at(-trustedProxies) ?? socket.remoteAddress;
  // Most proxies overwrite this field: then it has one entry, for any number of proxies.
  const schemes = entries("x-forwarded-proto");
  const scheme = schemes.at(-trustedProxies) ?? schemes[0];
  const isEncrypted = (socket as Partial<TLSSocket>).encrypted === true;
  return { ...(client !== undefined && { client }), secure: scheme === undefined ? isEncrypted : scheme === "https" };
}
