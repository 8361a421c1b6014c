import { nodeProcess } from "./node-process.ts";

interface Runtime {
  readonly navigator?: { readonly userAgent?: string };
  readonly EdgeRuntime?: unknown;
}

/** Node before 21 has no `navigator`. */
const lasting = /^(?:Node\.js|Deno|Bun)\//;

/**
 * Whether a timer, and whatever else a call has begun, goes on when that call is over. False on the edge (Cloudflare
 * Workers and their like): there a request that ends takes its timers, its requests and its continuations with it,
 * `finally` included, while the memory of the process lives on.
 *
 * @example
 * ```ts
 * import { hasLastingTimers } from "@continuum-cache/core/kit";
 *
 * console.log(hasLastingTimers()); // true in Node, Deno and Bun, false in a Worker
 * ```
 */
export function hasLastingTimers(): boolean {
  const { navigator, EdgeRuntime } = globalThis as Runtime;
  if (EdgeRuntime !== undefined) return false;
  if (navigator?.userAgent !== undefined) return lasting.test(navigator.userAgent);
  return nodeProcess() !== undefined;
}
