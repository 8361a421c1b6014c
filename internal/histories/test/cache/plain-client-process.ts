import { Cache, guarded } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { serveClients } from "../../src/cache/serve-clients.ts";
import { addressAt, connectTo } from "../../src/site/address.ts";
import { plainFallback } from "./plain-fallback.ts";

/** The same client with the plain fallback, which has neither journal nor fence: the checker has to object to it. */
serveClients(({ kind, port, timeoutMs, retries, healthCheckMs }) => {
  const timeout = `${timeoutMs}ms` as const;
  const primary = guarded(connectTo(addressAt(kind, port), 30_000), { timeout, retries });
  return new Cache({ transport: plainFallback(primary, memoryTransport(), healthCheckMs), timeout });
});
