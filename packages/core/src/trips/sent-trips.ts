import { createExpiringSet } from "../claims/expiring-set.ts";
import { isReplacing, isWrite, keysOf } from "../commands/command-table.ts";
import { compileGlob } from "../keys/glob.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command } from "../ports/transport.ts";
import type { RoundTrip } from "./round-trip.ts";

/** The trips that have been sent, as far as it takes to tell whether a later one has overtaken an earlier one. */
export interface SentTrips {
  /**
   * A trip is about to leave. It ends once, one way or the other.
   *
   * @param lostMs - If it has not said so by then, of `performance.now()`, it never will.
   */
  add(trip: RoundTrip, lostMs?: number): void;
  succeeded(trip: RoundTrip): void;
  failed(trip: RoundTrip): void;
  /** The trips that have not ended, in the order in which they were sent. */
  readonly underWay: Iterable<RoundTrip>;
  /** The keys, or the whole database, of which trips sent after this one have left nothing by now. */
  replacedSince(trip: RoundTrip): WrittenKeys;
  /** Those that such trips have written in any way, or may yet write. */
  writtenSince(trip: RoundTrip): WrittenKeys;
}

/** Keys that were written. */
export interface WrittenKeys {
  has(key: string): boolean;
  readonly isEmpty: boolean;
}

/** What is kept of a trip that came back: its keys, not its values. */
interface Returned {
  readonly number: number;
  readonly written: WrittenKeys;
  readonly replaced: WrittenKeys;
}

/** More trips than this are not remembered behind one that hangs: the earliest of them are forgotten first. */
const mostReturned = 1_000;

export function createSentTrips(): SentTrips {
  let numbers = 0;
  const underWay = createExpiringSet<RoundTrip>();
  let returned: Returned[] = [];

  const oldest = (): number => {
    for (const { number } of underWay) return number;
    return Number.POSITIVE_INFINITY;
  };

  const remember = ({ number, commands, options }: RoundTrip): void => {
    // Trips mostly come back in the order in which they left: then none can have been overtaken.
    const first = oldest();
    if (first > number) {
      if (first === Number.POSITIVE_INFINITY && returned.length > 0) returned = [];
      return;
    }
    const written = keysIn(commands.filter(isWrite), options.invalidates);
    if (written.isEmpty) return;
    returned.push({ number, written, replaced: keysIn(commands.filter(isReplacing), options.invalidates) });
    if (returned.length <= mostReturned) return;
    returned = returned.filter((one) => one.number > first).slice(-mostReturned / 2);
  };

  const later = <One extends { readonly number: number }>(all: Iterable<One>, { number }: RoundTrip): One[] =>
    [...all].filter((one) => one.number > number);

  const ledger: SentTrips = {
    underWay,
    add(trip, lostMs = Number.POSITIVE_INFINITY) {
      trip.ledger = ledger;
      trip.number = ++numbers;
      underWay.add(trip, lostMs - performance.now());
    },
    succeeded(trip) {
      underWay.delete(trip);
      remember(trip);
    },
    failed: (trip) => underWay.delete(trip),
    replacedSince: (trip) => together(later(returned, trip).map(({ replaced }) => replaced)),
    writtenSince(trip) {
      const going = later(underWay, trip).map(({ commands, options }) =>
        keysIn(commands.filter(isWrite), options.invalidates),
      );
      return together([...later(returned, trip).map(({ written }) => written), ...going]);
    },
  };
  return ledger;
}

/** The keys of commands, and those that match any of these globs. */
export function keysIn(commands: readonly Command[], globs: readonly string[] = []): WrittenKeys {
  const all = commands.map(keysOf);
  const isWhole = all.includes("database");
  const keys = new TextMap<true>();
  for (const one of all) if (one !== "database") for (const key of one) keys.set(key, true);
  const tests = globs.map(compileGlob);
  return {
    has: (key) => isWhole || keys.has(key) || tests.some((matches) => matches(key)),
    isEmpty: !isWhole && keys.size === 0 && tests.length === 0,
  };
}

function together(all: readonly WrittenKeys[]): WrittenKeys {
  const some = all.filter(({ isEmpty }) => !isEmpty);
  return { has: (key) => some.some((keys) => keys.has(key)), isEmpty: some.length === 0 };
}
