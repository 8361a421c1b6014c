import { keyPattern } from "@continuum-cache/core";

/** Where a log keeps what. */
export interface LogKeys {
  /** A hash: each origin, and who holds its name (see `registry.ts`). */
  readonly registry: string;
  /** A stream: the events of one origin. */
  stream(origin: string): string;
  /** A hash: how far an instance has come in each origin's stream, as the id of the last event it has applied. */
  cursors(instanceId: string): string;
}

const maxOriginBytes = 256;

/** @throws TypeError that quotes what came. */
export function createLogKeys(key: string): LogKeys {
  assertLogKey(key);
  // A name's own ":" is escaped, so that no origin's stream can be another instance's cursors.
  const stream = keyPattern(`${key}:{origin}`);
  const cursors = keyPattern(`${key}:cursors:{instance}`);
  return {
    registry: key,
    stream: (origin) => stream({ origin }),
    cursors: (instance) => cursors({ instance }),
  };
}

/** @throws TypeError that quotes what came. */
export function assertLogKey(key: unknown): asserts key is string {
  if (typeof key === "string" && /^[^\p{Cc}\p{Surrogate}*?[\]{}\\]{1,512}$/u.test(key)) return;
  throw new TypeError(
    `Expected \`key\` to be a text of 1 to 512 characters, without control and glob characters, got ${quoted(key)}`,
  );
}

/** @throws TypeError that quotes what came. */
export function assertOrigin(name: string, origin: unknown): asserts origin is string {
  if (
    typeof origin === "string" &&
    /^[^\p{Cc}\p{Surrogate}]+$/u.test(origin) &&
    new TextEncoder().encode(origin).length <= maxOriginBytes
  )
    return;
  throw new TypeError(
    `Expected \`${name}\` to be a name of 1 to ${maxOriginBytes} bytes, without control characters, got ${quoted(origin)}`,
  );
}

const quoted = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : typeof value;
