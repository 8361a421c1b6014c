import type { Transport } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal, type UpstashLocal, type UpstashLocalOptions } from "@continuum-cache/upstash-local";

/** How a process reaches its server. */
export type Way = "tcp" | "rest";

/** Where a process finds the server: over TCP, or where `rest` is given, through a server of the REST API. */
export interface Address {
  readonly url: string;
  readonly rest?: { readonly url: string; readonly token: string };
}

const token = "histories";

export function addressAt(way: Way, port: number, restPort: number = port): Address {
  const rest = way === "rest" && { rest: { url: `http://127.0.0.1:${restPort}`, token } };
  return { url: `redis://127.0.0.1:${port}`, ...rest };
}

/** The server of the REST API, where the way leads through one. */
export async function startGateway(
  way: Way,
  redisUrl: string,
  options: Partial<UpstashLocalOptions> = {},
): Promise<UpstashLocal | undefined> {
  return way === "rest" ? startUpstashLocal({ port: 0, token, redisUrl, ...options }) : undefined;
}

export function connectTo({ url, rest }: Address, timeoutMs: number): Transport {
  const timeout = `${timeoutMs}ms` as const;
  return rest ? restTransport({ ...rest, timeout }) : tcpTransport({ url, timeout });
}
