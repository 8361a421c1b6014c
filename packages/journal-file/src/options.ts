import { ConfigError, type Duration } from "@continuum-cache/core";
import { assertOptions, choiceOption, functionOption, type JournalStore, toTimeoutMs } from "@continuum-cache/core/kit";

/** The file of a journal, and when it reaches the disk. */
export interface FileJournalOptions {
  /**
   * The file. Its folder must exist: it is not created, since a missing folder is often a volume that was not
   * mounted. The file is created with mode 0600, since it holds values. Lock files and temporary files are created
   * beside it.
   */
  readonly path: string;
  /**
   * When appended records are synced to the disk. A crash or kill of the process alone never loses a resolved append;
   * this option is about power cuts and crashes of the machine. `rewrite` always waits for the disk.
   *
   * - `"always"`: before an append resolves. Appends that come during a sync share the next one.
   * - `"interval"`: soon afterwards. The last `fsyncInterval` may be lost, and the rest may be damaged (`onDamage`).
   * - `"never"`: when the operating system does it, usually within 30 s; otherwise like `"interval"`.
   *
   * @default "always"
   */
  readonly fsync?: "always" | "interval" | "never";
  /** With `fsync: "interval"`: the longest time between an append and its sync. @default "1s" */
  readonly fsyncInterval?: Duration;
  /**
   * Called by `read()` for each stretch in the middle of the file that can't be read. Then the rest is returned, a
   * copy of the file is put beside it, and the file is rewritten without the stretch. A tail that a crash cut off is
   * no damage.
   *
   * @default `read()` rejects with a JournalError
   */
  readonly onDamage?: (damage: JournalDamage) => void;
}

/** Counts since a file journal was opened. */
export interface FileJournalStats {
  /** Records appended. */
  readonly records: number;
  /** Commits. Each writes all appends that waited. */
  readonly commits: number;
  /** Syncs by appends (fdatasync); rewrites are not counted. */
  readonly fsyncs: number;
  /** Rewrites, including those by which `read()` creates or repairs the file. */
  readonly rewrites: number;
  /** The size of the file, in bytes. */
  readonly bytes: number;
}

/** A journal store in a file. */
export interface FileJournal extends JournalStore {
  /** The counts until now. */
  stats(): FileJournalStats;
}

/** The options with their defaults, checked. */
export interface FileJournalSettings {
  readonly path: string;
  readonly fsync: "always" | "interval" | "never";
  readonly fsyncIntervalMs: number;
  readonly onDamage: ((damage: JournalDamage) => void) | undefined;
}

/** @throws ConfigError that names the option, also when an option does not exist. */
export function settingsFrom(options: FileJournalOptions): FileJournalSettings {
  assertOptions("fileJournal", options, { path: true, fsync: true, fsyncInterval: true, onDamage: true });
  const { path, fsync = "always", fsyncInterval = "1s", onDamage } = options;
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new ConfigError("path", `Expected \`path\` to be the path of a file, got ${describePath(path)}`);
  }
  return {
    path,
    fsync: choiceOption("fsync", fsync, ["always", "interval", "never"]),
    fsyncIntervalMs: toTimeoutMs(fsyncInterval, "fsyncInterval"),
    onDamage: functionOption("onDamage", onDamage),
  };
}

function describePath(path: unknown): string {
  if (typeof path !== "string") return typeof path;
  return path === "" ? "an empty text" : "a text with a zero byte";
}

/** A stretch of a journal file that held records once and can't be read any more. */
export interface JournalDamage {
  /** The journal file. */
  readonly path: string;
  /** Where the stretch begins, in bytes from the start of the file. */
  readonly offset: number;
  /** How long it is, in bytes. How many records it held can't be known. */
  readonly bytes: number;
  /** Where a copy of the whole damaged file was put. It holds values; an older copy there is overwritten. */
  readonly keptAs: string;
}
