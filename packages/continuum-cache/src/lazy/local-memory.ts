import type { BackendStatus, Transport } from "@continuum-cache/core";
import { loadedOnce, primaryOf } from "@continuum-cache/core/kit";
import type { FallbackOptions } from "@continuum-cache/fallback-memory";
import { assertFallbackOptions } from "@continuum-cache/fallback-memory/options";
import { lateStatus } from "./late-status.ts";
import { lazyTransport } from "./lazy-transport.ts";

const loadMemory = () => import("@continuum-cache/fallback-memory");

/** How much the memory of this process may hold. */
interface MemorySize {
  readonly maxBytes?: number;
}

const localForEver: BackendStatus = { currentBackend: "local", pending: 0, onChange: () => () => {} };

/** The memory of this process as the only backend, loaded at its first use. */
export function localMemory(size: MemorySize): Transport {
  const load = loadedOnce(loadMemory, ({ memoryTransport }) => memoryTransport(size));
  return lazyTransport({ name: "memory", status: localForEver, answersNow: true }, load);
}

/**
 * A primary that the memory of this process stands in for, loaded at the first use of either: at once where a store
 * may hold what an earlier process has left.
 *
 * @throws ConfigError when an option can't be.
 */
export function withLocalMemory(primary: Transport, size: MemorySize, options: FallbackOptions): Transport {
  assertFallbackOptions(options);
  const { status, follow } = lateStatus("upstash");
  const load = loadedOnce(loadMemory, ({ memoryTransport, withFallback }) => {
    const made = withFallback(primary, memoryTransport(size), options) as Required<Transport>;
    follow(made.status);
    return made;
  });
  const known = {
    closeUnused: () => primary.close(),
    ...(primary.maxTopicBytes !== undefined && { maxTopicBytes: primary.maxTopicBytes }),
    ...(primary.hasCheapTrips && { hasCheapTrips: true }),
  };
  const pastMemory = lazyTransport({ ...known, name: primary.name }, async () => primaryOf(await load()));
  const eager = options.journal?.store !== undefined;
  const name = `${primary.name}+fallback`;
  return lazyTransport({ ...known, name, status, primary: pastMemory, server: primary, eager }, load);
}
