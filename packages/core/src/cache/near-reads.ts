import type { NearStore } from "../ports/near-cache.ts";
import type { SendOptions } from "../ports/transport.ts";
import type { CacheCallOptions } from "./call-options.ts";
import type { Engine } from "./engine.ts";

/** The near cache that calls with these options may read. `fallback: false` insists on an answer of the server. */
export function nearFor(near: NearStore | undefined, options: CacheCallOptions | undefined): NearStore | undefined {
  return options?.near === false || options?.fallback === false ? undefined : near;
}

/**
 * The value that the near cache holds and can prove to be fresh, where that takes a look at the invalidations; else
 * undefined, after at most half of the call's time: the other half is for reading the value from the server.
 */
export function provenHeld(
  near: NearStore,
  key: string,
  { timeoutMs, signal }: SendOptions,
  defaultTimeoutMs: number,
): Promise<unknown> | undefined {
  if (signal?.aborted || !near.isHeld(key)) return undefined;
  const halfMs = Math.ceil((timeoutMs ?? defaultTimeoutMs) / 2);
  return near.refresh(key, { timeoutMs: halfMs, ...(signal && { signal }) });
}

/** Reads through the near cache, which has found no value that it knows to be fresh. */
export async function getThroughNear(
  { calls, requests, timeoutMs: defaultTimeoutMs }: Engine,
  view: NearStore,
  key: string,
  asked: SendOptions | (() => SendOptions),
  options: CacheCallOptions | undefined,
): Promise<unknown> {
  const sending = typeof asked === "function" ? asked() : asked;
  const near = nearFor(view, options);
  const held = options && !sending.signal?.aborted ? near?.get(key) : undefined;
  if (held !== undefined) return held;
  const startedMs = performance.now();
  const proving = near && provenHeld(near, key, sending, defaultTimeoutMs);
  if (proving) {
    const proven = await proving;
    if (proven !== undefined) return proven;
  }
  // Reads that have the cache's own time share an MGET with other reads.
  const left = proving ? { ...sending, timeoutMs: leftOf(sending.timeoutMs ?? defaultTimeoutMs, startedMs) } : sending;
  const read = near?.begin(key);
  return read ? calls.read((name) => requests.getNear(name, read), key, left) : calls.read(requests.get, key, left);
}

const leftOf = (timeoutMs: number, startedMs: number): number =>
  Math.max(1, Math.ceil(timeoutMs - (performance.now() - startedMs)));
