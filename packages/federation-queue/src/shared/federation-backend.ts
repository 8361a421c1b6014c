import type { Codec, Transport } from "@continuum-cache/core";

/** What a queue or a log stands on: a `Cache`, or just a transport. */
export interface FederationBackend {
  readonly transport: Transport;
  /** How events are written when the options don't say. @default json() */
  readonly codec?: Codec;
}
