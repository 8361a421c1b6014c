import { type CallOptions, type Codec, ConfigError, type Duration, json, type Transport } from "@continuum-cache/core";
import {
  assertOptions,
  booleanOption,
  combineCodecs,
  type KnownOptions,
  primaryOf,
  toTimeoutMs,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type { OutboxLimits } from "./outbox.ts";
import type { PrimaryCallOptions } from "./primary-client.ts";

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

/** The form of a prefix of keys. */
export const keyPrefixForm: RegExp = /^[^\p{Cc}\p{Surrogate}*?[\]{}\\]{1,512}$/u;
export const keyPrefixWords = "a text of 1 to 512 characters, without control and glob characters";

/** The transport to the primary, without a cache's fallback. @throws ConfigError when there is none. */
export function transportOf(backend: FederationBackend, name?: string): Transport {
  const { transport } = backend ?? {};
  if (typeof transport?.send === "function") return primaryOf(transport);
  const what = name === undefined ? "Expected" : `Expected \`${name}\` to be`;
  throw new ConfigError(
    name ?? "transport",
    `${what} a Cache, or { transport } with a Transport, got ${typeof transport} as transport`,
  );
}

/** The codec of the options, or the backend's. @throws ConfigError when one is invalid. */
export function codecOf(given: Codec | readonly Codec[] | undefined, backend: FederationBackend): Codec {
  const codecs = [given ?? backend.codec ?? json()].flat();
  for (const one of codecs) {
    if (typeof one?.encode === "function" && typeof one.decode === "function") continue;
    throw new ConfigError("codec", `Expected \`codec\` to be a Codec or a list of them, got ${typeof one}`);
  }
  return combineCodecs(codecs);
}

interface GivenCallOptions {
  readonly timeout?: Duration | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly fallback?: boolean;
}

/** Checks the options of a call, and converts times to milliseconds. @throws ConfigError when one is invalid. */
export function readCallOptions({
  timeout,
  signal,
  fallback,
}: GivenCallOptions): PrimaryCallOptions & { readonly fallback?: boolean } {
  assertSignal(signal);
  const mayFallBack = booleanOption("fallback", fallback);
  return {
    ...(timeout !== undefined && { timeoutMs: toTimeoutMs(timeout, "timeout") }),
    ...(signal && { signal }),
    ...(mayFallBack !== undefined && { fallback: mayFallBack }),
  };
}

/** @throws ConfigError unless it is one, or undefined. */
export function assertSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || typeof signal?.addEventListener === "function") return;
  throw new ConfigError("signal", `Expected \`signal\` to be an AbortSignal, got ${kindOf(signal)}`);
}

/** @throws ConfigError unless it is one. */
export function assertFunction(name: string, given: unknown): void {
  if (typeof given === "function") return;
  throw new ConfigError(name, `Expected \`${name}\` to be a function, got ${kindOf(given)}`);
}

/** @param words - Describe the form. @throws ConfigError unless it is a text of this form. */
export function assertText(name: string, given: unknown, form: RegExp, words: string): asserts given is string {
  if (typeof given === "string" && form.test(given)) return;
  throw new ConfigError(name, `Expected \`${name}\` to be ${words}, got ${quoted(given)}`);
}

export const quoted = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : kindOf(value);

export const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
