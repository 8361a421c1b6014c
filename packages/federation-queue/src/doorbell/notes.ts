/** The notes of a ring as one line of text, which every transport carries. */
export const writeNotes = (notes: Iterable<string>): string => JSON.stringify([...notes]);

/** More than this no honest ring brings: what is beyond it is found by looking. */
const mostLength = 1 << 20;
const mostNotes = 10_000;

/** What was heard, whoever sent it: what can't be read counts as a ring without a note. */
export function readNotes(data: string | Uint8Array): readonly string[] {
  if (typeof data !== "string" || data.length > mostLength) return [];
  try {
    const notes: unknown = JSON.parse(data);
    return Array.isArray(notes) ? notes.slice(0, mostNotes).filter((note) => typeof note === "string") : [];
  } catch {
    // A ring without a note, from another client.
    return [];
  }
}
