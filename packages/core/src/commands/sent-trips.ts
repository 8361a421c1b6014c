import { createExpiringSet } from "../claims/expiring-set.ts";
import { compileGlob } from "../keys/glob.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command } from "../ports/transport.ts";
import { isReplacing, isWrite, keysOf } from "./command-table.ts";

/** The trips that have been sent, as far as it takes to tell whether a later one has overtaken an earlier one. */
export interface SentTrips {
  /**
   * @param invalidates - Globs whose keys the trip helps to delete, those that it does not find included.
   * @param timeoutMs - By then it has ended, or will never say so. Default: it always says so.
   */
  enter(commands: readonly Command[], invalidates?: readonly string[], timeoutMs?: number): SentTrip;
}

/** A trip that was sent. It ends once, one way or the other. */
export interface SentTrip {
  succeeded(): void;
  failed(): void;
  /** The keys, or the whole database, of which trips sent after this one have left nothing by now. */
  replacedSince(): WrittenKeys;
  /** Those that such trips have written in any way, or may yet write. */
  writtenSince(): WrittenKeys;
}

/** Keys that were written. */
export interface WrittenKeys {
  has(key: string): boolean;
  readonly isEmpty: boolean;
}

interface Entry {
  readonly number: number;
  readonly commands: readonly Command[];
  readonly invalidates: readonly string[];
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
  const underWay = createExpiringSet<Entry>();
  let returned: Returned[] = [];

  const oldest = (): number => {
    for (const { number } of underWay) return number;
    return Number.POSITIVE_INFINITY;
  };

  const remember = ({ number, commands, invalidates }: Entry): void => {
    // Trips mostly come back in the order in which they left: then none can have been overtaken.
    if (oldest() > number) {
      if (oldest() === Number.POSITIVE_INFINITY) returned = [];
      return;
    }
    const written = keysIn(commands.filter(isWrite), invalidates);
    if (written.isEmpty) return;
    returned.push({ number, written, replaced: keysIn(commands.filter(isReplacing), invalidates) });
    if (returned.length <= mostReturned) return;
    const first = oldest();
    returned = returned.filter((one) => one.number > first).slice(-mostReturned / 2);
  };

  return {
    enter(commands, invalidates = [], timeoutMs = Number.POSITIVE_INFINITY) {
      const entry: Entry = { number: ++numbers, commands, invalidates };
      underWay.add(entry, timeoutMs);
      const later = <One extends { readonly number: number }>(all: Iterable<One>): One[] =>
        [...all].filter(({ number }) => number > entry.number);
      return {
        succeeded() {
          underWay.delete(entry);
          remember(entry);
        },
        failed() {
          underWay.delete(entry);
        },
        replacedSince: () => together(later(returned).map(({ replaced }) => replaced)),
        writtenSince() {
          const going = later(underWay).map((trip) => keysIn(trip.commands.filter(isWrite), trip.invalidates));
          return together([...later(returned).map(({ written }) => written), ...going]);
        },
      };
    },
  };
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
