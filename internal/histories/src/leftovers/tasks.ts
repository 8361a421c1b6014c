import type { TaskBase } from "../fleet/serve-worker.ts";
import type { Address } from "../site/site.ts";

/** One worker on the queue, which is also an instance of the log. */
export interface LeftoverTask extends TaskBase {
  readonly address: Address;
  readonly instanceId: string;
}

export interface LeftoverNote {
  readonly kind: "stop";
}

/** Everything that goes by leases goes fast: what dead processes leave is found by its age. */
export const queueOptions = {
  visibilityTimeout: "500ms",
  pollInterval: "200ms",
  repair: "1s",
  timeout: "2s",
} as const;
export const logOptions = { lease: "1s", pollInterval: "1s", timeout: "2s" } as const;
