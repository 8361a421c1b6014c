/** The part of Node's `process` that is used, where there is one. */
export interface NodeProcess {
  nextTick?(callback: () => void): void;
  getBuiltinModule?(name: string): object | undefined;
}

/**
 * The `process` of Node, Deno or Bun, which names the version of Node that it is or stands for. The Edge runtime of
 * Next.js has a `process` too: it holds the environment, and functions that throw when they are called.
 */
export function nodeProcess(): NodeProcess | undefined {
  const { process } = globalThis as { process?: NodeProcess & { readonly versions?: { readonly node?: string } } };
  return process?.versions?.node === undefined ? undefined : process;
}

interface Runtime {
  readonly navigator?: { readonly userAgent?: string };
  readonly EdgeRuntime?: unknown;
}

/** Node before 21 has no `navigator`. */
const lasting = /^(?:Node\.js|Deno|Bun)\//;

/**
 * Whether timers and continuations of a call go on when its request is over. False on the edge (Cloudflare Workers
 * and the like): a request that ends takes its timers, its requests and its continuations with it, `finally`
 * included, while the memory of the process lives on.
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

/**
 * Finds out once how a callback runs after everything that this tick still has to do, and before any timer or I/O: on
 * Node by `process.nextTick`, elsewhere behind the microtasks that are queued by then. A later tick (setImmediate, a
 * timer) would cost a third of the speed at one call in flight.
 */
export function tickEnd(): (callback: () => void) => void {
  const node = nodeProcess();
  return node?.nextTick?.bind(node) ?? ((callback) => queueMicrotask(() => queueMicrotask(callback)));
}

/** Runs one callback so. */
export function afterThisTick(callback: () => void): void {
  tickEnd()(callback);
}
