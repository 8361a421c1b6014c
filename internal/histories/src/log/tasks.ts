import type { Session, TaskBase } from "../fleet/serve.ts";
import type { Address } from "../site/address.ts";

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

/** What an instance is asked for, in this order. */
export interface LogApi extends Session {
  /** Appends no more; resolves when no append waits. */
  drain(): Promise<void>;
  /** To be called when all instances have drained. Resolves when this one has been given all events of the others. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}
