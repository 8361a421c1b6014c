import { FederationQueue } from "@continuum-cache/federation-queue";
import type { RecordFile } from "../fleet/record-file.ts";
import { connectTo } from "../site/connect.ts";
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
export function openQueue({ process, address, setup }: QueueTask, records: RecordFile<QueueRecord>): OpenQueue {
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
  const tell = (name: "repaired" | "recovered" | "kept" | "error", count: number): void =>
    records.write({ kind: "event", process, name, count, atMs: Date.now() });
  queue.on("repaired", ({ count }) => tell("repaired", count));
  queue.on("recovered", ({ count }) => tell("recovered", count));
  queue.on("error", () => tell("error", 1));
  return {
    queue,
    async close() {
      await queue.close();
      await transport.close();
    },
  };
}
