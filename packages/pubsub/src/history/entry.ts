import { isCommandError, type Reply } from "@continuum-cache/core";
import type { Position } from "../position.ts";

/** One stored message. */
export interface Entry {
  readonly position: Required<Position>;
  /** When it was published, by the server's clock as its publisher knew it, in milliseconds since 1970. */
  readonly publishedAtMs: number;
  readonly text: string | Uint8Array;
}

/** The entries of XRANGE and XREVRANGE. What somebody else has put into the stream is passed over. */
export function readEntries(reply: Reply | undefined): Entry[] {
  if (isCommandError(reply)) throw reply;
  if (!Array.isArray(reply)) return [];
  return (reply as readonly Reply[]).flatMap((item): Entry[] => {
    const [id, fields] = item as readonly [string, readonly (string | Uint8Array)[] | null];
    const field = (name: string): string | Uint8Array | undefined => {
      const at = fields?.findIndex((key, index) => index % 2 === 0 && key === name) ?? -1;
      return at < 0 ? undefined : fields?.[at + 1];
    };
    const [tag, time, text] = [field("n"), field("t"), field("d")];
    if (typeof tag !== "string" || typeof time !== "string" || text === undefined) return [];
    const [epoch, seq] = id.split("-").map(Number) as [number, number];
    return [{ position: { epoch, seq, tag }, publishedAtMs: Number(time), text }];
  });
}
