import type { Command, Reply } from "@continuum-cache/core";

/**
 * Tracks deletes by pattern at the primary, which are many trips (SCAN after SCAN). When one has seen every key, each
 * key that matched before its first trip is gone.
 */
export interface ScanDeletes {
  /** A trip of a delete leaves. @param trip - Its number, as `LastSeenValues` counts trips. */
  started(trip: number, commands: readonly Command[], globs: readonly string[]): void;
  /** A trip was answered. @returns the deletes that have seen every key now. */
  recordReplies(commands: readonly Command[], replies: readonly Reply[], globs: readonly string[]): CompletedScan[];
}

/** Each key that matches and was there before the first trip has been found, and is deleted or about to be. */
export interface CompletedScan {
  readonly glob: string;
  readonly fromTrip: number;
}

/**
 * The most deletes that are tracked; then the oldest is dropped. A delete whose caller stops before its end stays
 * otherwise.
 */
const maxTracked = 100;

const scanIn = (commands: readonly Command[]): number => commands.findIndex(([name]) => name === "SCAN");

/** Whether a trip with globs continues a delete that began with an earlier trip. */
export function continuesScan(commands: readonly Command[]): boolean {
  const scan = commands[scanIn(commands)];
  return scan ? String(scan[1]) !== "0" : commands.some(([name]) => name === "UNLINK");
}

/** Whether a delete by pattern ends with these replies. */
export function endsScan(commands: readonly Command[], replies: readonly Reply[]): boolean {
  const at = scanIn(commands);
  const page = replies[at];
  return at < 0 || (Array.isArray(page) && String(page[0]) === "0");
}

export function createScanDeletes(): ScanDeletes {
  const firstTrips = new Map<string, number>();
  return {
    started(trip, commands, globs) {
      const scan = commands[scanIn(commands)];
      if (!scan || String(scan[1]) !== "0") return;
      for (const glob of globs) {
        // Of two concurrent deletes only keys older than both are sure to be gone when the first ends.
        if (!firstTrips.has(glob)) firstTrips.set(glob, trip);
        if (firstTrips.size > maxTracked) firstTrips.delete(firstTrips.keys().next().value ?? "");
      }
    },
    recordReplies(commands, replies, globs) {
      if (scanIn(commands) < 0 || !endsScan(commands, replies)) return [];
      const completed: CompletedScan[] = [];
      for (const glob of globs) {
        const fromTrip = firstTrips.get(glob);
        if (fromTrip !== undefined && firstTrips.delete(glob)) completed.push({ glob, fromTrip });
      }
      return completed;
    },
  };
}
