import type { Command } from "@continuum-cache/core";
import { bulkOfId } from "../values/bulk.ts";
import type { KnownValues } from "./known-values.ts";

/**
 * Commands that give an empty memory what the primary is known to have held a moment ago. A value is served until it is as
 * old as the bound, or until it ends by itself if that is sooner.
 */
export function warmStart(known: KnownValues, nowMs: number, maxAgeMs: number): Command[] {
  const commands: Command[] = [];
  for (const [id, { value, expiresAtMs, heardMs }] of known.entries()) {
    const ageMs = performance.now() - heardMs;
    const endMs = Math.floor(Math.min(expiresAtMs, nowMs + maxAgeMs - ageMs));
    if (value !== null && endMs > nowMs) commands.push(["SET", bulkOfId(id), value, "PXAT", endMs]);
  }
  return commands;
}
