import type { Session, TaskBase } from "../fleet/serve.ts";
import type { Address } from "../site/address.ts";

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

/** What producers are asked for. A consumer can only be stopped. */
export interface QueueApi extends Session {
  /** Pushes no more; resolves when no push waits. */
  drain(): Promise<void>;
  /** Pushes many messages at once; resolves when no push waits. */
  flood(): Promise<void>;
  stop(): Promise<void>;
}
