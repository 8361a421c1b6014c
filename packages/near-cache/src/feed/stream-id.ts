/** The id of a stream entry, `milliseconds-number`, as Redis writes it. */
export type StreamId = string;

/** Below 0 when the first id is the lower one, 0 when they are equal, above 0 otherwise. */
export function compareIds(one: StreamId, other: StreamId): number {
  const dash = one.indexOf("-");
  const otherDash = other.indexOf("-");
  const ms = Number(one.slice(0, dash)) - Number(other.slice(0, otherDash));
  return ms === 0 ? Number(one.slice(dash + 1)) - Number(other.slice(otherDash + 1)) : ms;
}

/** The higher of two ids, of which one may be unknown. */
export const later = (one: StreamId | undefined, other: StreamId): StreamId =>
  one !== undefined && compareIds(one, other) > 0 ? one : other;
