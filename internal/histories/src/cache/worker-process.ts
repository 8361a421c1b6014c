import { UpstashCache } from "continuum-cache";
import { addressAt } from "../site/address.ts";
import { serveClients } from "./serve-clients.ts";

/**
 * One of the processes that host the clients of histories: `UpstashCache` as users have it, only in more of a hurry.
 */
serveClients(({ kind, port, timeoutMs, healthCheckMs, retries, journalEntries }) => {
  const { url, rest } = addressAt(kind, port);
  const env: Record<string, string> = rest
    ? { UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token }
    : { UPSTASH_REDIS_URL: url };
  return new UpstashCache({
    env,
    timeout: `${timeoutMs}ms`,
    healthCheckInterval: `${healthCheckMs}ms`,
    retries,
    ...(journalEntries !== undefined && { journal: { maxEntries: journalEntries } }),
  });
});
