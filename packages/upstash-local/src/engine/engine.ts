import type { Transport } from "@continuum-cache/core";
// From here and not from transport-memory: the embedded engine runs a script by its TypeScript face, so the scripts
// that replay an outage have to be defined in its process.
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import type { UpstashLocalOptions } from "../options.ts";
import { createKeyLocking, type KeyLocking } from "./key-locking.ts";

/** The backend that runs the commands. */
export interface Engine {
  readonly transport: Transport;
  /** Absent for the embedded engine, which finds a script by its exact text and ignores flags. */
  readonly keyLocking: KeyLocking | undefined;
  /** Closes the backend, unless the caller has provided it. */
  close(): Promise<void>;
}

/** @throws ConfigError when `redisUrl` is no address of a Redis. */
export function openEngine({ engine, redisUrl, allowInsecure = false }: UpstashLocalOptions): Engine {
  if (engine) {
    const keyLocking = engine.name === "memory" ? undefined : createKeyLocking();
    return { transport: engine, keyLocking, close: async () => {} };
  }
  if (redisUrl !== undefined) {
    const transport = tcpTransport({ url: redisUrl, allowInsecure });
    return { transport, keyLocking: createKeyLocking(), close: () => transport.close() };
  }
  const transport = memoryTransport();
  return { transport, keyLocking: undefined, close: () => transport.close() };
}
