import { UpstashCache } from "continuum-cache";
import { serveClients } from "./index.ts";

/** One of the processes that host the clients of histories. */
serveClients(
  ({ kind, port, timeoutMs, healthCheckMs, retries, journalEntries }) =>
    new UpstashCache({
      env: {},
      ...(kind === "tcp"
        ? { url: `redis://127.0.0.1:${port}` }
        : { restUrl: `http://127.0.0.1:${port}`, restToken: "local" }),
      timeout: `${timeoutMs}ms`,
      healthCheckInterval: `${healthCheckMs}ms`,
      retries,
      ...(journalEntries !== undefined && { journal: { maxEntries: journalEntries } }),
    }),
);
