import { ConfigError, keyPattern } from "@continuum-cache/core";
import { assertText, keyPrefixForm, keyPrefixWords } from "../shared/options.ts";

/** The keys of a log. */
export interface LogKeys {
  /** A hash: each origin, and which process holds its name (see `registry.ts`). */
  readonly registry: string;
  /** A stream: the events of one origin. */
  stream(origin: string): string;
  /** A hash: the id of the last event that an instance has applied, of each origin. */
  cursors(instanceId: string): string;
}

const maxOriginBytes = 256;

/** @throws ConfigError that quotes what came. */
export function createLogKeys(key: string): LogKeys {
  assertText("key", key, keyPrefixForm, keyPrefixWords);
  // A name's own ":" is escaped, so that no origin's stream can be another instance's cursors.
  const stream = keyPattern(`${key}:{origin}`);
  const cursors = keyPattern(`${key}:cursors:{instance}`);
  return {
    registry: key,
    stream: (origin) => stream({ origin }),
    cursors: (instance) => cursors({ instance }),
  };
}

/** @throws ConfigError that quotes what came. */
export function assertOrigin(name: string, origin: unknown): asserts origin is string {
  const words = `a name of 1 to ${maxOriginBytes} bytes, without control characters`;
  assertText(name, origin, /^[^\p{Cc}\p{Surrogate}]+$/u, words);
  const bytes = new TextEncoder().encode(origin).length;
  if (bytes > maxOriginBytes) throw new ConfigError(name, `Expected \`${name}\` to be ${words}, got ${bytes} bytes`);
}
