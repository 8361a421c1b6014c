import type { Duration, Transport } from "@continuum-cache/core";
import { lazyTransport } from "./lazy-transport.ts";

/** What is needed to speak the Redis protocol. */
export interface TcpSettings {
  readonly url: string;
  readonly poolSize: number;
  readonly allowInsecure: boolean;
  readonly timeout: Duration;
}

/** The Redis protocol's transport, loaded at its first use: ioredis alone takes 50 ms to import. */
export function tcpBackend(settings: TcpSettings): Transport {
  return lazyTransport("tcp", async () => {
    const { tcpTransport } = await import("@continuum-cache/transport-tcp");
    return tcpTransport(settings);
  });
}
