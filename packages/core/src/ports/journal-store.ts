/**
 * Where an outage journal is kept so that it survives the process. Records are opaque bytes, at most a few MB each.
 * `fileJournal` keeps it in a file; whatever can append and replace in order can be another one.
 *
 * @example
 * ```ts
 * import type { JournalStore } from "@continuum-cache/fallback-memory";
 *
 * // Survives nothing, but shows the rules: order of calls is order of records, and a rewrite replaces all before it.
 * export function volatileJournal(): JournalStore {
 *   let kept: Uint8Array[] = [];
 *   return {
 *     read: async () => [...kept],
 *     append: async (records) => void kept.push(...records),
 *     rewrite: async (records) => void (kept = [...records]),
 *     close: async () => {},
 *   };
 * }
 * ```
 */
export interface JournalStore {
  /** Everything that was appended and not rewritten since, in order. Called once, before anything else. */
  read(): Promise<readonly Uint8Array[]>;
  /**
   * Adds records behind the others; resolves when they are as durable as this store makes them. Calls are made one
   * after the other or concurrently; order of calls is order of records.
   */
  append(records: readonly Uint8Array[]): Promise<void>;
  /**
   * Replaces everything by these, all or nothing: after a crash either the old or the new contents are read. Records
   * appended by later calls come behind.
   */
  rewrite(records: readonly Uint8Array[]): Promise<void>;
  /** Gives back files and timers. Safe to call twice. */
  close(): Promise<void>;
}
