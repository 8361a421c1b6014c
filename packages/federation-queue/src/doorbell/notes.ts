/** The notes of a ring as one line of text, which every transport carries. */
export const writeNotes = (notes: Iterable<string>): string => JSON.stringify([...notes]);

/** What was heard, from whomever: nothing that can't be read is believed. */
export function readNotes(data: string | Uint8Array): readonly string[] {
  if (typeof data !== "string") return [];
  try {
    const notes: unknown = JSON.parse(data);
    return Array.isArray(notes) ? notes.filter((note) => typeof note === "string") : [];
  } catch {
    // A ring without a note, from another client.
    return [];
  }
}
