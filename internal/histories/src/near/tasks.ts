import type { Session, TaskBase } from "../fleet/serve.ts";
import type { Address } from "../site/address.ts";

/** How the caches of a run are set up, in milliseconds. */
export interface NearSetup {
  /** How old a hit may be. */
  readonly boundMs: number;
  readonly timeoutMs: number;
}

/** One process: it writes keys of its own, and reads those of all. */
export interface NearTask extends TaskBase {
  readonly address: Address;
  readonly setup: NearSetup;
  readonly seed: number;
  /** Its place, and all places. */
  readonly place: string;
  readonly places: readonly string[];
}

/** What a process is asked for, in this order. */
export interface NearApi extends Session {
  /** Reads and writes no more; resolves when no call is under way. */
  drain(): Promise<void>;
  /** To be called when all have drained: reads the latest keys through the near cache and past it. */
  compare(): Promise<void>;
  stop(): Promise<void>;
}
