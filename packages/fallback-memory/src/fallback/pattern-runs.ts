import type { Command, Reply } from "@continuum-cache/core";

/** Watches how runs of deletions by pattern go at the primary (SCAN after SCAN): what stood there before is gone then. */
export interface PatternRuns {
  /** A trip of a run leaves. @param trip - As `KnownValues` counts trips. */
  left(trip: number, commands: readonly Command[], globs: readonly string[]): void;
  /** The replies of one came. @returns the runs that have seen every key by now. */
  arrived(commands: readonly Command[], replies: readonly Reply[], globs: readonly string[]): SeenRun[];
}

/** Each key that matches and was there before the run left has been found, and is deleted or about to be. */
export interface SeenRun {
  readonly glob: string;
  /** The first trip of the run. */
  readonly fromTrip: number;
}

/** Runs that nobody ends are forgotten, the oldest first. */
const mostRuns = 100;

const scanOf = (commands: readonly Command[]): number => commands.findIndex(([name]) => name === "SCAN");

/** Whether a trip with globs goes on with a run that has begun before. */
export function goesOn(commands: readonly Command[]): boolean {
  const scan = commands[scanOf(commands)];
  return scan ? String(scan[1]) !== "0" : commands.some(([name]) => name === "UNLINK");
}

/** Whether a run of deletions ends with these replies. */
export function isEnd(commands: readonly Command[], replies: readonly Reply[]): boolean {
  const at = scanOf(commands);
  const page = replies[at];
  return at < 0 || (Array.isArray(page) && String(page[0]) === "0");
}

export function createPatternRuns(): PatternRuns {
  const begun = new Map<string, number>();
  return {
    left(trip, commands, globs) {
      const scan = commands[scanOf(commands)];
      if (!scan || String(scan[1]) !== "0") return;
      for (const glob of globs) {
        // Of two runs at once only what is older than both is sure to be gone when the first ends.
        if (!begun.has(glob)) begun.set(glob, trip);
        if (begun.size > mostRuns) begun.delete(begun.keys().next().value ?? "");
      }
    },
    arrived(commands, replies, globs) {
      if (scanOf(commands) < 0 || !isEnd(commands, replies)) return [];
      const seen: SeenRun[] = [];
      for (const glob of globs) {
        const fromTrip = begun.get(glob);
        if (fromTrip !== undefined && begun.delete(glob)) seen.push({ glob, fromTrip });
      }
      return seen;
    },
  };
}
