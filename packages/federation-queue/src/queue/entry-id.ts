/** The milliseconds in an entry's id. */
export const entryMs = (entryId: string): number => Number(entryId.slice(0, entryId.indexOf("-")));

/** Whether an entry stands behind another. */
export function isLater(entryId: string, other: string): boolean {
  const [ms = 0, seq = 0] = entryId.split("-").map(Number);
  const [otherMs = 0, otherSeq = 0] = other.split("-").map(Number);
  return ms > otherMs || (ms === otherMs && seq > otherSeq);
}
