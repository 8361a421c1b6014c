import type { TaskBase } from "../fleet/serve-worker.ts";
import type { Address } from "../site/site.ts";

/** How the log is set up in a run, in milliseconds. */
export interface LogSetup {
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly pollMs: number;
}

/** One instance: it appends, and follows all others. */
export interface LogTask extends TaskBase {
  readonly instanceId: string;
  readonly address: Address;
  readonly setup: LogSetup;
  readonly seed: number;
  /** About so many events a second. */
  readonly perSecond: number;
}

export type LogNote =
  /** No more appends; once none waits, "drained" is told. */
  | { readonly kind: "drain" }
  /** Everybody has drained: once this instance is behind nobody, "caught-up" is told. */
  | { readonly kind: "catch-up" }
  | { readonly kind: "stop" };
