import { type CallOptions, type Codec, type Duration, json, type Transport } from "@continuum-cache/core";
import {
  assertOptions,
  backendOption,
  codecsOption,
  combineCodecs,
  type KnownOptions,
  primaryOf,
  textOption,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type { OutboxLimits } from "./outbox.ts";

/** The backend of a queue or a log: a `Cache`, or just a transport. */
export interface FederationBackend {
  readonly transport: Transport;
  /** The codec of events, unless the options name one. @default json() */
  readonly codec?: Codec;
}

/** Options of one call of a log. */
export interface LogCallOptions extends Pick<CallOptions, "signal"> {
  /** The timeout of this call. @default the log's */
  readonly timeout?: Duration;
}

export const knownCall: KnownOptions<LogCallOptions> = { timeout: true, signal: true };

/** The bounds of what waits in this process until Redis answers. */
export interface OutboxOptions {
  /** @default 10_000 */
  readonly maxMessages?: number;
  /** @default 8_388_608 (8 MiB) */
  readonly maxBytes?: number;
}

const knownOutbox: KnownOptions<OutboxOptions> = { maxMessages: true, maxBytes: true };

/** @throws ConfigError that quotes the value. */
export function readOutbox(outbox: OutboxOptions): OutboxLimits {
  assertOptions("outbox", outbox, knownOutbox);
  return {
    maxItems: wholeNumberOption("outbox.maxMessages", outbox.maxMessages ?? 10_000),
    maxBytes: wholeNumberOption("outbox.maxBytes", outbox.maxBytes ?? 8 << 20),
  };
}

/** Reads a prefix of keys. @throws ConfigError that quotes the value. */
export const keyPrefixOption = (name: string, prefix: string): string =>
  textOption(
    name,
    prefix,
    /^[^\p{Cc}\p{Surrogate}*?[\]{}\\]{1,512}$/u,
    "a text of 1 to 512 characters, without control and glob characters",
  );

/** The transport to the primary, without a cache's fallback. @throws ConfigError when there is none. */
export const transportOf = (backend: FederationBackend, name?: string): Transport =>
  primaryOf(backendOption(backend, name));

/** The codec of the options, or the backend's. @throws ConfigError when one is invalid. */
export const codecOf = (given: Codec | readonly Codec[] | undefined, backend: FederationBackend): Codec =>
  combineCodecs(codecsOption(given ?? backend.codec ?? json()));
