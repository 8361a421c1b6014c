import type { Argument } from "../ports/transport.ts";

/**
 * The stream in which writers announce to the near caches of all processes which values have changed. There is one in
 * a database, since a key may be written through caches of different prefixes.
 */
export const invalidationStream = "continuum:invalidations";

/**
 * An announcement may arrive twice, which invalidates once more. It needs no order among others either: trips that
 * wrote nothing else in common would wait for each other otherwise, and a late retry of one would count as overtaken.
 */
export const isAnnouncement = ([stream]: readonly Argument[]): boolean => stream === invalidationStream;
