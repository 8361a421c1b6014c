import type { Transport } from "@continuum-cache/core";
// From here and not from transport-memory: the embedded engine runs a script by its TypeScript face, so the scripts
// that replay an outage have to be defined in its process.
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { xxh3 } from "../digest/xxh3.ts";
import type { UpstashLocalOptions } from "../options.ts";
import { conditionalWrites } from "./conditional-writes.ts";
import { createKeyLocking } from "./key-locking.ts";
import { inTurn, type Translation } from "./translation.ts";

/** The backend that runs the commands. */
export interface Engine {
  readonly transport: Transport;
  /** Absent for the embedded engine, which speaks as the service does, and finds a script by its exact text. */
  readonly translation: Translation | undefined;
  /** Closes the backend, unless the caller has provided it. */
  close(): Promise<void>;
}

/** @throws ConfigError when `redisUrl` is no address of a Redis. */
export function openEngine({ engine, redisUrl, allowInsecure = false }: UpstashLocalOptions): Engine {
  if (engine) {
    const translation = engine.name === "memory" ? undefined : forRedis();
    return { transport: engine, translation, close: async () => {} };
  }
  if (redisUrl !== undefined) {
    const transport = tcpTransport({ url: redisUrl, allowInsecure });
    return { transport, translation: forRedis(), close: () => transport.close() };
  }
  const transport = memoryTransport({ digest: xxh3 });
  return { transport, translation: undefined, close: () => transport.close() };
}

const forRedis = (): Translation => inTurn(createKeyLocking(), conditionalWrites);
