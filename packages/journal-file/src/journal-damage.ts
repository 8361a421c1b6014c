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
