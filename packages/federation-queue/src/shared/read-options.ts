import { type Codec, ConfigError, type Duration, json, type Transport } from "@continuum-cache/core";
import { booleanOption, combineCodecs, primaryOf, toTimeoutMs } from "@continuum-cache/core/kit";
import type { FederationBackend } from "./federation-backend.ts";
import type { LinkOptions } from "./link.ts";

/** The way to the server, past a cache's fallback. @throws ConfigError when there is none. */
export function transportOf(backend: FederationBackend, name?: string): Transport {
  const { transport } = backend ?? {};
  if (typeof transport?.send === "function") return primaryOf(transport);
  const what = name === undefined ? "Expected" : `Expected \`${name}\` to be`;
  throw new ConfigError(
    name ?? "transport",
    `${what} a Cache, or { transport } with a Transport, got ${typeof transport} as transport`,
  );
}

/** The codec that the options name, or the backend's. @throws ConfigError when one is none. */
export function codecOf(given: Codec | readonly Codec[] | undefined, backend: FederationBackend): Codec {
  const codecs = [given ?? backend.codec ?? json()].flat();
  for (const one of codecs) {
    if (typeof one?.encode === "function" && typeof one.decode === "function") continue;
    throw new ConfigError("codec", `Expected \`codec\` to be a Codec or a list of them, got ${typeof one}`);
  }
  return combineCodecs(codecs);
}

/** What any call may ask for. */
interface Asked {
  readonly timeout?: Duration | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly fallback?: boolean;
}

/** The same, checked, in milliseconds. @throws ConfigError when one can't be. */
export function readAsked({ timeout, signal, fallback }: Asked): LinkOptions & { readonly fallback?: boolean } {
  assertSignal(signal);
  const mayFallBack = booleanOption("fallback", fallback);
  return {
    ...(timeout !== undefined && { timeoutMs: toTimeoutMs(timeout, "timeout") }),
    ...(signal && { signal }),
    ...(mayFallBack !== undefined && { fallback: mayFallBack }),
  };
}

/** @throws ConfigError when it is none. */
export function assertSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || typeof signal?.addEventListener === "function") return;
  throw new ConfigError("signal", `Expected \`signal\` to be an AbortSignal, got ${kindOf(signal)}`);
}

/** @throws ConfigError when it is none. */
export function assertFunction(name: string, given: unknown): void {
  if (typeof given === "function") return;
  throw new ConfigError(name, `Expected \`${name}\` to be a function, got ${kindOf(given)}`);
}

/** @throws ConfigError when it is not a text of the form, which the words describe. */
export function assertText(name: string, given: unknown, form: RegExp, words: string): asserts given is string {
  if (typeof given === "string" && form.test(given)) return;
  throw new ConfigError(name, `Expected \`${name}\` to be ${words}, got ${quoted(given)}`);
}

export const quoted = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : kindOf(value);

export const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
