import type { Claim } from "../claims/claim.ts";
import { hasLastingTimers, nodeProcess } from "../time/platform.ts";

/** A load, as far as it takes to find loads that wait for each other in a cycle. */
export interface RunningLoad {
  readonly key: string;
  readonly claim: Claim;
  /** The loads that its loader waits for. */
  readonly awaits: Set<RunningLoad>;
}

/** What remembers through all its `await`s for which load a loader runs. */
interface AsyncContext {
  run<Result>(load: RunningLoad, work: () => Result): Result;
  getStore(): RunningLoad | undefined;
  disable(): void;
}

interface Runtime {
  readonly AsyncLocalStorage?: new () => AsyncContext;
}

/**
 * Undefined until the first load, `null` where the platform has none: then only what a loader calls at once is
 * recognized.
 */
let context: AsyncContext | null | undefined;
/** The load whose loader is being called in this moment. */
let called: RunningLoad | undefined;
let running = 0;

function findContext(): AsyncContext | null {
  const { AsyncLocalStorage } = globalThis as Runtime;
  const hooks: Runtime | undefined = nodeProcess()?.getBuiltinModule?.("async_hooks");
  const Found = AsyncLocalStorage ?? hooks?.AsyncLocalStorage;
  return Found ? new Found() : null;
}

/** Calls a loader so that what it asks for in its turn is known to be asked for on behalf of this load. */
export async function runLoader(load: RunningLoad, loader: () => unknown): Promise<unknown> {
  if (context === undefined) context = findContext();
  running++;
  try {
    return await call(load, loader);
  } finally {
    // In Node up to 22 every promise of the process is slower as long as it is enabled.
    if (--running === 0 && hasLastingTimers()) context?.disable();
  }
}

function call(load: RunningLoad, loader: () => unknown): unknown {
  const before = called;
  called = load;
  try {
    return context ? context.run(load, loader) : loader();
  } finally {
    called = before;
  }
}

/**
 * Notes that whatever loader is running here waits for a load from now on. Returns what ends that.
 *
 * @throws TypeError when that load waits for this loader in its turn.
 */
export function awaitLoad(load: RunningLoad): () => void {
  const waiter = called ?? context?.getStore();
  if (!waiter) return () => {};
  const cycle = pathBetween(load, waiter);
  if (cycle) throw cycleError([waiter, ...cycle]);
  waiter.awaits.add(load);
  return () => waiter.awaits.delete(load);
}

/** From one load to another along what they wait for. A load whose owner has vanished waits for nothing. */
function pathBetween(
  from: RunningLoad,
  to: RunningLoad,
  seen: Set<RunningLoad> = new Set(),
): RunningLoad[] | undefined {
  if (from === to) return [from];
  if (seen.has(from) || !from.claim.isHeld) return undefined;
  seen.add(from);
  for (const next of from.awaits) {
    const path = pathBetween(next, to, seen);
    if (path) return [from, ...path];
  }
  return undefined;
}

function cycleError(cycle: readonly RunningLoad[]): TypeError {
  const keys = cycle.map(({ key }) => JSON.stringify(key.slice(0, 40))).join(" → ");
  return new TypeError(
    `A loader waits for itself: ${keys}. Call getOrSet inside a loader for other keys only, or read with get, ` +
      "which waits for no load",
  );
}
