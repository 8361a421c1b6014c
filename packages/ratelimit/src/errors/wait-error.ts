/**
 * A caller's turn did not come in time. Nothing was charged.
 *
 * @example
 * ```ts
 * import { type RateLimiter, WaitError } from "@continuum-cache/ratelimit";
 *
 * async function send(limiter: RateLimiter, mail: () => Promise<void>): Promise<"sent" | "later"> {
 *   try {
 *     await limiter.acquire("mail", { window: "1s", limit: 10, timeout: "5s" });
 *   } catch (error) {
 *     if (error instanceof WaitError) return "later";
 *     throw error;
 *   }
 *   await mail();
 *   return "sent";
 * }
 * ```
 */
export class WaitError extends Error {
  override readonly name = "WaitError";

  constructor(timeoutMs: number) {
    super(`Not allowed within ${timeoutMs} ms (raise \`timeout\` or the limit, or ask less often)`);
  }
}
