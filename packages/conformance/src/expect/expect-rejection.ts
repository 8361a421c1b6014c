import { isTransportError, type TransportError, type TransportErrorKind } from "@continuum-cache/core";
import { show } from "./expect-reply.ts";

/**
 * Waits for a trip that must reject with a `TransportError` of one kind, and returns it.
 *
 * @throws Error when it resolves, rejects with something else, or does not settle within ten seconds.
 */
export async function expectRejection(trip: Promise<unknown>, kind: TransportErrorKind): Promise<TransportError> {
  const outcome = await within(
    10_000,
    trip.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
  );
  if (!("error" in outcome))
    throw new Error(`expected a rejection of kind "${kind}", got the answer ${show(outcome.value)}`);
  const { error } = outcome;
  if (!isTransportError(error)) throw new Error(`expected a TransportError, got ${String(error)}`, { cause: error });
  if (error.kind !== kind) {
    throw new Error(`expected kind "${kind}", got "${error.kind}": ${error.message}`, { cause: error });
  }
  return error;
}

/** Waits for a promise that must settle in time: a suite that hangs would show no failure. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`expected an outcome, got none within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
