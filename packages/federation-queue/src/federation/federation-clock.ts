import { type Command, isTransportError } from "@continuum-cache/core";
import { serverTimeMs, unwrap } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { readTimestamp, ticksPerMs } from "./hybrid-timestamp.ts";
import { tombstoneScript } from "./tombstone-script.ts";

/**
 * The latest timestamp that this process has observed, so that its next write is later. A timestamp from a region whose
 * clock is ahead is stored in the database beside the tombstones, so that this whole region knows it.
 */
export interface FederationClock {
  readonly latest: number;
  observe(at: number): void;
  /**
   * A write with this timestamp is in the database, or is about to be. Asks the server only if the timestamp may be
   * ahead of its clock, which the caller may know. @throws TransportError or CommandError.
   */
  record(at: number, nowMs?: number): Promise<void>;
  /**
   * A timestamp for now: later than all that are known here, and than all others of this millisecond. While the server
   * is away it is by this machine's clock.
   */
  now(): Promise<number>;
}

/** The field of the hash of tombstones that keeps the latest timestamp from ahead: an empty pattern does not exist. */
export const aheadField = "";

export function createFederationClock(link: PrimaryClient, tombstonesKey: string, keepMs: number): FederationClock {
  let latest = 0;
  /** The server's clock less the monotonic one. */
  let offsetMs: number | undefined;
  /** The latest timestamp from ahead that is known to be in the database. */
  let storedAhead = 0;
  const observe = (at: number): void => {
    latest = Math.max(latest, at);
  };

  const ask = async (): Promise<number> => {
    const [time, ahead] = await link.send([["TIME"], ["HGET", tombstonesKey, aheadField] as Command]);
    const ms = serverTimeMs(unwrap(time));
    offsetMs = ms - performance.now();
    storedAhead = Math.max(storedAhead, readTimestamp(unwrap(ahead)).at);
    observe(storedAhead);
    return ms;
  };
  const serverMs = (): number => (offsetMs === undefined ? 0 : offsetMs + performance.now());

  return {
    get latest() {
      return latest;
    },
    observe,
    async record(at, nowMs = serverMs()) {
      observe(at);
      if (at <= storedAhead || isPast(at, nowMs)) return;
      if (isPast(at, await ask())) return;
      await link.run(tombstoneScript, [tombstonesKey], [aheadField, at, 0, keepMs]);
      storedAhead = Math.max(storedAhead, at);
    },
    async now() {
      const ms = await ask().catch((error: unknown) => {
        if (!isTransportError(error)) throw error;
        return Date.now();
      });
      observe(Math.max((ms + 1) * ticksPerMs, latest + 1));
      return latest;
    },
  };
}

/** Whether a pattern that is deleted when the clock shows this, or later, comes after the timestamp. */
const isPast = (at: number, nowMs: number): boolean => at < (Math.floor(nowMs) + 1) * ticksPerMs;
