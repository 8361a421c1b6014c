import { compareIds, type StreamId } from "../feed/stream-id.ts";

/** When a read began: by the count of changes that were known then, and by the stream. */
export interface ReadStart {
  readonly changes: number;
  readonly knownId: StreamId;
}

/** What has become of a key lately. */
interface Change {
  /** The count of changes at the latest write of this process. */
  written: number;
  /** The highest id that has invalidated it. */
  announcedId: StreamId | undefined;
}

interface GlobChange extends Change {
  matches(key: string): boolean;
}

/** So many keys are remembered twice over, and so many globs, before the oldest are forgotten. */
const maxKeys = 1_000;
const maxGlobs = 50;

/**
 * The changes of late, so that a read which began before one of them is not kept after it. Reads have no entry here,
 * so one whose owner has vanished leaves nothing behind. Bounded: a read that began before a change that is forgotten
 * is not kept, whatever its key.
 */
export class RecentChanges {
  #count = 0;
  #latest = new Map<string, Change>();
  #earlier = new Map<string, Change>();
  #globs: GlobChange[] = [];
  /** The count when the latest generation of keys began. */
  #latestFrom = 0;
  /** Reads that began before this count are not kept. */
  #floor = 0;

  get count(): number {
    return this.#count;
  }

  /** This process writes a key: a read that began before may bring the value before. */
  written(key: string): void {
    this.#changeOf(key).written = ++this.#count;
  }

  writtenWhere(matches: (key: string) => boolean): void {
    this.#addGlob({ matches, written: ++this.#count, announcedId: undefined });
  }

  /** An announcement with this id was seen. Reads that began when a higher id was known are not concerned. */
  announced(key: string, id: StreamId): void {
    this.#count++;
    const change = this.#changeOf(key);
    if (change.announcedId === undefined || compareIds(id, change.announcedId) > 0) change.announcedId = id;
  }

  announcedWhere(matches: (key: string) => boolean, id: StreamId): void {
    this.#count++;
    this.#addGlob({ matches, written: 0, announcedId: id });
  }

  /** Everything may have changed. */
  everything(): void {
    this.#floor = ++this.#count;
    this.#latest.clear();
    this.#earlier.clear();
    this.#globs = [];
  }

  /** Whether a key has not changed since a read of it began. */
  isUnchanged(key: string, start: ReadStart): boolean {
    if (start.changes < this.#floor) return false;
    const change = this.#latest.get(key) ?? this.#earlier.get(key);
    if (change && concerns(change, start)) return false;
    return !this.#globs.some((glob) => concerns(glob, start) && glob.matches(key));
  }

  #changeOf(key: string): Change {
    const known = this.#latest.get(key);
    if (known) return known;
    const change = this.#earlier.get(key) ?? { written: 0, announcedId: undefined };
    if (this.#latest.size >= maxKeys) {
      this.#floor = Math.max(this.#floor, this.#latestFrom);
      this.#earlier = this.#latest;
      this.#latest = new Map();
      this.#latestFrom = this.#count;
    }
    this.#latest.set(key, change);
    return change;
  }

  #addGlob(glob: GlobChange): void {
    if (this.#globs.length >= maxGlobs) {
      this.#globs = [];
      this.#floor = this.#count;
      return;
    }
    this.#globs.push(glob);
  }
}

const concerns = ({ written, announcedId }: Change, { changes, knownId }: ReadStart): boolean =>
  written > changes || (announcedId !== undefined && compareIds(announcedId, knownId) > 0);
