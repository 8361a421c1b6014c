import { type Connection, serveClients } from "@continuum-cache/conformance/outages";
import { UpstashCache } from "continuum-cache";
import { environmentOf } from "./environment-of.ts";

/**
 * One of the processes that host the clients of histories: `UpstashCache` as users have it, only in more of a hurry.
 */
serveClients(
  (connection: Connection) =>
    new UpstashCache({
      env: environmentOf(connection),
      timeout: `${connection.timeoutMs}ms`,
      healthCheckInterval: `${connection.healthCheckMs}ms`,
      retries: connection.retries,
      ...(connection.journalEntries !== undefined && { journal: { maxEntries: connection.journalEntries } }),
    }),
);
