import { type Command, isTransportError } from "@continuum-cache/core";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { timeMs, unwrap } from "../shared/replies.ts";
import { markScript } from "./mark-script.ts";
import { readStamped, stampsPerMs } from "./stamp.ts";

/**
 * The latest stamp that this process has met, so that what it writes next is later. Those of a region whose clock is ahead are
 * known to the whole region: they stand in the database beside the patterns.
 */
export interface FederationClock {
  readonly seen: number;
  see(at: number): void;
  /**
   * This stamp is in the database, or is about to be. Asks the server only if it may be ahead of its clock, which the caller
   * may know. @throws TransportError or CommandError.
   */
  met(at: number, nowMs?: number): Promise<void>;
  /**
   * A stamp for now, later than all that is known here and all that this millisecond brings; by this machine's clock while
   * the server is away.
   */
  now(): Promise<number>;
}

/** The field of the hash of patterns where the latest stamp from ahead is kept: no pattern is empty. */
export const aheadField = "";

export function createFederationClock(link: PrimaryClient, marksKey: string, keepMs: number): FederationClock {
  let seen = 0;
  /** The server's clock less the steady one. */
  let offsetMs: number | undefined;
  /** The latest from ahead that is known to be in the database. */
  let noted = 0;
  const see = (at: number): void => {
    seen = Math.max(seen, at);
  };

  const ask = async (): Promise<number> => {
    const [time, ahead] = await link.send([["TIME"], ["HGET", marksKey, aheadField] as Command]);
    const ms = timeMs(unwrap(time));
    offsetMs = ms - performance.now();
    noted = Math.max(noted, readStamped(unwrap(ahead)).at);
    see(noted);
    return ms;
  };
  const serverMs = (): number => (offsetMs === undefined ? 0 : offsetMs + performance.now());

  return {
    get seen() {
      return seen;
    },
    see,
    async met(at, nowMs = serverMs()) {
      see(at);
      if (at <= noted || isOver(at, nowMs)) return;
      if (isOver(at, await ask())) return;
      await link.run(markScript, [marksKey], [aheadField, at, 0, keepMs]);
      noted = Math.max(noted, at);
    },
    async now() {
      const ms = await ask().catch((error: unknown) => {
        if (!isTransportError(error)) throw error;
        return Date.now();
      });
      see(Math.max((ms + 1) * stampsPerMs, seen + 1));
      return seen;
    },
  };
}

/** Whether a pattern that is deleted when the clock shows this, or later, comes after it. */
const isOver = (at: number, nowMs: number): boolean => at < (Math.floor(nowMs) + 1) * stampsPerMs;
