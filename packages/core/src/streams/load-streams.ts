/**
 * Loads the code of shared streams. A process that never listens does not load it.
 *
 * @example
 * ```ts
 * import type { Transport } from "@continuum-cache/core";
 * import { loadStreams } from "@continuum-cache/core/kit";
 *
 * async function wakeOn(transport: Transport, channel: string, wake: () => void): Promise<() => void> {
 *   const { serverStreamOf } = await loadStreams();
 *   const listener = { serverOnly: true, message: wake, lost: wake, restored: wake } as const;
 *   const attached = await serverStreamOf(transport).attach({ kind: "channel", name: channel }, listener, {});
 *   return attached.detach;
 * }
 * ```
 */
export const loadStreams = (): Promise<typeof import("./shared-stream.ts")> => import("./shared-stream.ts");
