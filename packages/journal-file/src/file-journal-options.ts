import { ConfigError, type Duration } from "@continuum-cache/core";
import { assertOptions, choiceOption, functionOption, type JournalStore, toTimeoutMs } from "@continuum-cache/core/kit";
import type { JournalDamage } from "./journal-damage.ts";

/** Where a file journal is kept, and how hard it tries. */
export interface FileJournalOptions {
  /**
   * The file. Its folder must exist: it is not created, since a missing folder is often a volume that was not mounted.
   * The file is created with mode 0600, for it holds values; lock and temporary files come and go beside it.
   */
  readonly path: string;
  /**
   * When the disk is made to keep what was appended. A crash or kill of the process alone never loses a resolved append,
   * whatever is chosen; this is about power cuts and crashes of the machine. `rewrite` always waits for the disk.
   *
   * - `"always"`: before an append resolves. Appends that come while the disk is at work share the next turn.
   * - `"interval"`: soon afterwards; the last `fsyncInterval` may be lost, and what is left may have holes (`onDamage`).
   * - `"never"`: when the operating system likes, usually within 30 s; otherwise like `"interval"`.
   *
   * @default "always"
   */
  readonly fsync?: "always" | "interval" | "never";
  /** With `fsync: "interval"`: how long after an append the disk is made to keep it, at most. @default "1s" */
  readonly fsyncInterval?: Duration;
  /**
   * Told by `read()` of each stretch in the middle of the file that can't be read; the rest is then returned, and the file
   * written anew without the stretch, after a copy of it was put beside it. A tail that a crash cut off is no damage. @default `read()` rejects with a JournalError
   */
  readonly onDamage?: (damage: JournalDamage) => void;
}

/** What a file journal has done since it was opened. */
export interface FileJournalStats {
  /** Records appended. */
  readonly records: number;
  /** Commits: each writes all appends that waited. */
  readonly commits: number;
  /** How often appends made the disk work (fdatasync); rewrites are not counted. */
  readonly fsyncs: number;
  /** Rewrites, those included with which `read()` makes or mends the file. */
  readonly rewrites: number;
  /** How large the file is, in bytes. */
  readonly bytes: number;
}

/** A journal store in a file. */
export interface FileJournal extends JournalStore {
  /** What it has done so far. */
  stats(): FileJournalStats;
}

/** The options with their defaults, checked. */
export interface FileJournalSettings {
  readonly path: string;
  readonly fsync: "always" | "interval" | "never";
  readonly fsyncIntervalMs: number;
  readonly onDamage: ((damage: JournalDamage) => void) | undefined;
}

/** @throws ConfigError that names the option, also where there is none of that name. */
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
