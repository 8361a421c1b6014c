/** A resource that must be closed. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Returns a function that registers what a test opens. All of it is closed after each test, the last opened first.
 *
 * @param afterEach - The test runner's.
 *
 * @example
 * ```ts
 * import { closing, startRedisServer } from "@continuum-cache/conformance/servers";
 * import { afterEach, expect, it } from "vitest";
 *
 * const opened = closing(afterEach);
 *
 * it("answers", async () => {
 *   const server = opened(await startRedisServer());
 *   expect(await server.command("PING")).toBe("PONG");
 * });
 * ```
 */
export function closing(afterEach: (end: () => Promise<void>) => void): <T extends Closable>(opened: T) => T {
  const opened: Closable[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });
  return (one) => {
    opened.push(one);
    return one;
  };
}
