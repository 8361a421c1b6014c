import type { Closable } from "@continuum-cache/conformance/servers";
import type { Backend } from "@continuum-cache/fixtures";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import type { FederationQueueOptions } from "../../src/queue/options.ts";

export { all, type Backend, closing, memory, rest, servers, tcp } from "@continuum-cache/fixtures";

let count = 0;
/** A queue's own name, where a server is shared. */
const freshPrefix = (): string => `queue-${++count}`;

/** A server, and queues on it, each as if it were in a process of its own. */
export async function queuesOn<Event = unknown>(backend: Backend, opened: <T extends Closable>(one: T) => T) {
  const server = opened(await backend.open());
  const prefix = freshPrefix();
  const open = (options: FederationQueueOptions = {}): FederationQueue<Event> =>
    opened(new FederationQueue<Event>({ transport: server.connect() }, { prefix, ...options }));
  return { ...server, prefix, open };
}
