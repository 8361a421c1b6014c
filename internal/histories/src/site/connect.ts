import type { Transport } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import type { Address } from "./site.ts";

export function connectTo({ url, rest }: Address, timeoutMs: number): Transport {
  const timeout = `${timeoutMs}ms` as const;
  return rest ? restTransport({ ...rest, timeout }) : tcpTransport({ url, timeout });
}
