import type { Command } from "../ports/transport.ts";
import { isWrite, keysOf } from "./command-table.ts";

/** The trips that have been sent, as far as it takes to tell whether a later one has overtaken an earlier one. */
export interface SentTrips {
  enter(commands: readonly Command[]): SentTrip;
}

/** A trip that was sent. It ends once, one way or the other. */
export interface SentTrip {
  succeeded(): void;
  failed(): void;
  /** The keys, or the whole database, that trips sent after this one have written by now. */
  writtenSince(): WrittenKeys;
  /** The same, and what those still under way may write. */
  sentSince(): WrittenKeys;
}

/** Keys that somebody has written. */
export interface WrittenKeys {
  has(key: string): boolean;
  readonly isEmpty: boolean;
}

interface Entry {
  readonly number: number;
  readonly commands: readonly Command[];
}

interface Written {
  readonly number: number;
  readonly keys: readonly (readonly string[] | "database")[];
}

/** More trips than this are not remembered behind one that hangs: the earliest of them are forgotten first. */
const mostWritten = 1_000;

export function createSentTrips(): SentTrips {
  let numbers = 0;
  const underWay = new Set<Entry>();
  let written: Written[] = [];

  const oldest = (): number => {
    for (const { number } of underWay) return number;
    return Number.POSITIVE_INFINITY;
  };

  const remember = ({ number, commands }: Entry): void => {
    // Trips mostly come back in the order in which they left: then nobody can have been overtaken.
    if (oldest() > number) {
      if (underWay.size === 0) written = [];
      return;
    }
    const keys = commands.filter(isWrite).map(keysOf);
    if (keys.length === 0) return;
    written.push({ number, keys });
    if (written.length <= mostWritten) return;
    const first = oldest();
    written = written.filter((one) => one.number > first).slice(-mostWritten / 2);
  };

  return {
    enter(commands) {
      const entry: Entry = { number: ++numbers, commands };
      underWay.add(entry);
      const later = (): (readonly string[] | "database")[] =>
        written.filter(({ number }) => number > entry.number).flatMap(({ keys }) => keys);
      return {
        succeeded() {
          underWay.delete(entry);
          remember(entry);
        },
        failed() {
          underWay.delete(entry);
        },
        writtenSince: () => keySet(later()),
        sentSince() {
          const going = [...underWay].filter(({ number }) => number > entry.number);
          return keySet([...later(), ...going.flatMap(({ commands: each }) => each.filter(isWrite).map(keysOf))]);
        },
      };
    },
  };
}

function keySet(all: readonly (readonly string[] | "database")[]): WrittenKeys {
  const isWhole = all.includes("database");
  const keys = new Set(all.flatMap((one) => (one === "database" ? [] : one)));
  return { has: (key) => isWhole || keys.has(key), isEmpty: !isWhole && keys.size === 0 };
}
