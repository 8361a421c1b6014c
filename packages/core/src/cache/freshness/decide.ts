import type { EntryHeader } from "../entry.ts";
import type { FreshPlan } from "./fresh-plan.ts";

/**
 * What to do with a value that was found:
 *
 * - `serve`: it is fresh.
 * - `refresh`: serve it, and load anew in the background.
 * - `stand-in`: load; where that fails, or takes long, serve it.
 * - `load`: it may not be served any more.
 */
export type Decision = "serve" | "refresh" | "stand-in" | "load";

/** The options that a decision takes into account. */
export type Windows = Pick<FreshPlan, "staleWhileRevalidateMs" | "staleIfErrorMs" | "beta">;

/**
 * Decides by the caller's own options: the header says only how long the value is fresh.
 *
 * @param random - From 0 to below 1.
 */
export function decide(
  { freshUntilMs, loadMs = 0 }: EntryHeader,
  { staleWhileRevalidateMs, staleIfErrorMs, beta }: Windows,
  nowMs: number,
  random: number,
): Decision {
  if (freshUntilMs === undefined) return "serve";
  if (nowMs < freshUntilMs) {
    // XFetch: as if the value ended earlier by its load time, and by more the luckier the draw.
    const earlierMs = -beta * loadMs * Math.log(1 - random);
    return nowMs + earlierMs < freshUntilMs ? "serve" : "refresh";
  }
  const staleMs = nowMs - freshUntilMs;
  if (staleMs < staleWhileRevalidateMs) return "refresh";
  return staleMs < staleIfErrorMs ? "stand-in" : "load";
}

/**
 * How long a value that is stored now is fresh, and how long it is kept.
 *
 * @param random - From 0 to below 1.
 */
export function lifeOf(
  ttlMs: number | undefined,
  { staleWhileRevalidateMs, staleIfErrorMs, beta, jitter }: Windows & Pick<FreshPlan, "jitter">,
  random: number,
): { readonly freshMs: number | undefined; readonly keptMs: number | undefined; readonly needsHeader: boolean } {
  if (ttlMs === undefined) return { freshMs: undefined, keptMs: undefined, needsHeader: false };
  const freshMs = Math.max(1, Math.round(ttlMs * (1 + jitter * (2 * random - 1))));
  const staleMs = Math.max(staleWhileRevalidateMs, staleIfErrorMs);
  return { freshMs, keptMs: freshMs + staleMs, needsHeader: staleMs > 0 || beta > 0 };
}
