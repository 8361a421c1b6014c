import { startUpstashLocal } from "@continuum-cache/upstash-local";
import type { Gateway } from "./index.ts";

/** The server of the REST API in front of a history's Redis, and what it does on a bad day. */
export async function startRestGateway(redisUrl: string): Promise<Gateway> {
  const server = await startUpstashLocal({ port: 0, token: "local", redisUrl });
  const faults = (
    ["refuse", "hang", "unauthorized", "quota", "error-500", "html", "truncate", "lost-reply"] as const
  ).map((fault) => [fault, { begin: () => server.fault(fault), end: () => server.fault(undefined) }]);
  return { port: server.port, faults: Object.fromEntries(faults), close: () => server.close() };
}
