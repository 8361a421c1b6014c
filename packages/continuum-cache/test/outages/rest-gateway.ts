import type { Gateway } from "@continuum-cache/conformance/outages";
import { type Fault, startUpstashLocal } from "@continuum-cache/upstash-local";

/** What a REST API does when it has a bad day. */
const faults: readonly (Fault & string)[] = [
  "refuse",
  "hang",
  "unauthorized",
  "quota",
  "error-500",
  "html",
  "truncate",
  "lost-reply",
];

/** The server of the REST API in front of a history's Redis. */
export async function startRestGateway(redisUrl: string): Promise<Gateway> {
  const server = await startUpstashLocal({ port: 0, token: "local", redisUrl });
  const handle = (fault: Fault) => ({ begin: () => server.fault(fault), end: () => server.fault(undefined) });
  return {
    port: server.port,
    faults: Object.fromEntries(faults.map((fault) => [fault, handle(fault)])),
    close: () => server.close(),
  };
}
