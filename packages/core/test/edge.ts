import { vi } from "vitest";

/**
 * From now on this process counts as one in which a request that ends takes its timers with it. `vi.unstubAllGlobals`
 * ends that.
 */
export function onTheEdge(): void {
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
}

/**
 * Begins work whose request then vanishes: no timer that it sets ever fires. Use it with work that waits for nothing
 * else.
 */
export function vanishing<T>(begin: () => T): T {
  const { setTimeout: real } = globalThis;
  const dead = Object.assign(() => 0, real);
  Object.assign(globalThis, { setTimeout: dead });
  try {
    return begin();
  } finally {
    Object.assign(globalThis, { setTimeout: real });
  }
}
