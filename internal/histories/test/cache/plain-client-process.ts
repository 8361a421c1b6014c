import { Cache, guarded, type Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { type Connection, plainFallback, serveClients } from "../../src/cache/index.ts";
import { environmentOf } from "./environment-of.ts";

/** The same client with the plain fallback, which has neither journal nor fence: the checker has to object to it. */
serveClients((connection: Connection) => {
  const timeout = `${connection.timeoutMs}ms` as const;
  const primary = guarded(primaryOf(connection), { timeout, retries: connection.retries });
  return new Cache({ transport: plainFallback(primary, memoryTransport(), connection.healthCheckMs), timeout });
});

function primaryOf(connection: Connection): Transport {
  const env = environmentOf(connection);
  if (env.UPSTASH_REDIS_URL !== undefined) return tcpTransport({ url: env.UPSTASH_REDIS_URL });
  return restTransport({ url: env.UPSTASH_REDIS_REST_URL ?? "", token: env.UPSTASH_REDIS_REST_TOKEN ?? "" });
}
