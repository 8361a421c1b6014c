import { isCommandError, type Reply } from "@continuum-cache/core";

/** One row of an XINFO reply. */
export type InfoRow = Readonly<Record<string, Reply>>;

/** The rows of an XINFO GROUPS or CONSUMERS reply; none if there is no such stream or group. */
export function infoRows(reply: Reply | undefined): readonly InfoRow[] {
  if (!Array.isArray(reply)) return [];
  return (reply as readonly (readonly Reply[])[]).map((words) =>
    Object.fromEntries(words.flatMap((word, at) => (at % 2 === 0 ? [[String(word), words[at + 1] ?? null]] : []))),
  );
}

/** The same for a call that throws if there is no such stream or group. */
export function rowsOf(call: () => Reply): readonly InfoRow[] {
  try {
    return infoRows(call());
  } catch (error) {
    if (isCommandError(error)) return [];
    throw error;
  }
}
