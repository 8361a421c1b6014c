import { FederationQueue } from "@continuum-cache/federation-queue";
import type { EventRecord } from "../checking/records.ts";
import type { Records } from "../fleet/serve.ts";
import { connectTo } from "../site/address.ts";
import type { MessageData } from "./message.ts";
import type { QueueRecord } from "./record.ts";
import type { QueueTask } from "./tasks.ts";

export const ms = (time: number): `${number}ms` => `${Math.max(1, Math.round(time))}ms`;

/** A queue of a run. */
export interface OpenQueue {
  readonly queue: FederationQueue<MessageData>;
  /** Ends its transport too. */
  close(): Promise<void>;
}

/** A queue whose events are written down. */
export function openQueue({ process, address, setup }: QueueTask, records: Records<QueueRecord>): OpenQueue {
  const { leaseMs, timeoutMs, maxAttempts, pollMs } = setup;
  const transport = connectTo(address, timeoutMs);
  const queue = new FederationQueue<MessageData>(
    { transport },
    {
      visibilityTimeout: ms(leaseMs),
      timeout: ms(timeoutMs),
      pollInterval: ms(pollMs),
      maxAttempts,
      backoff: { initial: "50ms", max: "400ms" },
    },
  );
  const note = (name: EventRecord["name"], count: number): void =>
    records.write({ kind: "event", process, name, count, atMs: Date.now() });
  queue.on("repaired", ({ count }) => note("repaired", count));
  queue.on("recovered", ({ count }) => note("recovered", count));
  queue.on("error", () => note("error", 1));
  return {
    queue,
    async close() {
      await queue.close();
      await transport.close();
    },
  };
}
