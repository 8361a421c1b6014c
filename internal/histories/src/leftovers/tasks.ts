import type { TaskBase } from "../fleet/serve.ts";
import type { Address } from "../site/address.ts";

/** One worker on the queue, which is also an instance of the log. It works until it is stopped or killed. */
export interface LeftoverTask extends TaskBase {
  readonly address: Address;
}

/** Nothing happens to the server: this bound finds hangs only. */
export const timeoutMs = 60_000;
/** All that goes by leases goes fast, because what dead processes leave is found by its age. */
export const queueOptions = {
  visibilityTimeout: "500ms",
  pollInterval: "200ms",
  repair: "1s",
  timeout: "60s",
} as const;
export const logOptions = { lease: "1s", pollInterval: "1s", timeout: "60s" } as const;
