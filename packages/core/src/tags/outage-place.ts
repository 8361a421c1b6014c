import type { Transport } from "../ports/transport.ts";
import { randomText } from "./random-text.ts";

/**
 * Where markers are read and written now: at the primary, or in the memory of this process while the primary is away.
 *
 * The memory does not hear of invalidations by other processes. So an entry that was filled from its markers counts
 * only there and only during that outage: its markers name the outage, and once it has been replayed to the primary it
 * is a miss.
 */
export interface OutagePlace {
  /** Stands behind the markers of an entry that is filled now: empty at the primary. */
  readonly suffix: string;
  /** Changes with every change of the place. What was read before such a change says nothing after it. */
  readonly changes: number;
}

/** Caches that share a transport share its memory, and so the place. */
const places = new WeakMap<Transport, OutagePlace>();

/** The place of a transport, watched for as long as the transport is there. */
export function placeOf(transport: Transport): OutagePlace {
  const known = places.get(transport);
  if (known) return known;
  const suffixNow = (): string => (transport.status?.outage ? `@${randomText()}` : "");
  const place = { suffix: suffixNow(), changes: 0 };
  transport.status?.onChange(() => {
    place.changes++;
    place.suffix = suffixNow();
  });
  places.set(transport, place);
  return place;
}
