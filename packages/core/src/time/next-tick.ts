import { nodeProcess } from "./node-process.ts";

/**
 * Finds out once how a callback runs after everything that this tick still has to do, and before any timer or I/O: on Node by
 * `process.nextTick`, elsewhere behind the microtasks that are queued by then. A later tick (setImmediate, a timer)
 * would cost a third of the speed at one call in flight.
 */
export function tickEnd(): (callback: () => void) => void {
  const node = nodeProcess();
  return node?.nextTick?.bind(node) ?? ((callback) => queueMicrotask(() => queueMicrotask(callback)));
}

/** Runs one callback so. */
export function afterThisTick(callback: () => void): void {
  tickEnd()(callback);
}
