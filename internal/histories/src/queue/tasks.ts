import type { TaskBase } from "../fleet/serve-worker.ts";
import type { Address } from "../site/site.ts";

/** How the queue is set up in a run, in milliseconds. */
export interface QueueSetup {
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly pollMs: number;
}

interface QueueTaskBase extends TaskBase {
  readonly address: Address;
  readonly setup: QueueSetup;
  readonly seed: number;
}

export interface ProduceTask extends QueueTaskBase {
  readonly kind: "produce";
  /** About so many messages a second. */
  readonly perSecond: number;
  /** So many of high priority, and shares of them of the others, are pushed at once at the end. */
  readonly flood: number;
}

export interface ConsumeTask extends QueueTaskBase {
  readonly kind: "consume";
  /** A worker, or a loop that pulls. */
  readonly by: "worker" | "pull";
  readonly concurrency: number;
  readonly ledgerUrl: string;
}

export type QueueTask = ProduceTask | ConsumeTask;

export type QueueNote =
  /** No more pushes; once none waits, "drained" is told. */
  | { readonly kind: "drain" }
  /** Many messages at once; once none waits, "flooded" is told. */
  | { readonly kind: "flood" }
  | { readonly kind: "stop" };
