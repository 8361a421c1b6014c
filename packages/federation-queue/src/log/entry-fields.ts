/** The one field of an entry: an event as a line of text (`toMessageText` of what the codec wrote). */
export const eventField = "e";

/** An entry of a stream as Redis answers it; one that was deleted has no fields. */
export type StreamEntry = readonly [id: string, fields: readonly unknown[] | null];

/** The event's text, or `undefined` where there is none. */
export function eventText([, fields]: StreamEntry): string | Uint8Array | undefined {
  for (let at = 0; fields && at + 1 < fields.length; at += 2) {
    const value = fields[at + 1];
    if (fields[at] === eventField) return typeof value === "string" || value instanceof Uint8Array ? value : undefined;
  }
  return undefined;
}
