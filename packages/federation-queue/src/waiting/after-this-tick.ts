interface Runtime {
  readonly process?: { readonly nextTick?: (callback: () => void) => void };
}

/** Calls back after everything that this tick still has to do, and before any timer or I/O. */
export function afterThisTick(callback: () => void): void {
  const { process } = globalThis as Runtime;
  if (process?.nextTick) process.nextTick(callback);
  else queueMicrotask(() => queueMicrotask(callback));
}
