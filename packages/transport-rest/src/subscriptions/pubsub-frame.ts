import type { Message } from "@continuum-cache/core";

/** A frame that confirms a channel or pattern. */
export interface Confirmation {
  readonly confirms: string;
}

/** Reads one frame of a subscription: `undefined` for what it did not ask for. */
export type ReadFrame = (frame: string) => Confirmation | Message | undefined;

/**
 * Reads what Redis pushes, joined by commas. Names may hold commas themselves, so they are found by what was asked
 * for, the longest first; the channel of a pattern's message ends at its first comma.
 */
export function createFrameReader(verb: "subscribe" | "psubscribe", names: readonly string[]): ReadFrame {
  const plain = new Set(names.filter((name) => !name.includes(",")));
  const withCommas = names.filter((name) => name.includes(",")).sort((a, b) => b.length - a.length);

  const nameOf = (rest: string): string | undefined => {
    const longest = withCommas.find((name) => rest.startsWith(`${name},`));
    if (longest !== undefined) return longest;
    const end = rest.indexOf(",");
    const name = rest.slice(0, end);
    return end >= 0 && plain.has(name) ? name : undefined;
  };

  return (frame) => {
    const comma = frame.indexOf(",");
    const type = frame.slice(0, comma);
    const rest = frame.slice(comma + 1);
    const name = comma < 0 ? undefined : nameOf(rest);
    if (name === undefined) return undefined;
    const tail = rest.slice(name.length + 1);
    if (type === verb) return { confirms: name };
    if (verb === "subscribe") return type === "message" ? { channel: name, data: tail } : undefined;
    const split = tail.indexOf(",");
    if (type !== "pmessage" || split < 0) return undefined;
    return { pattern: name, channel: tail.slice(0, split), data: tail.slice(split + 1) };
  };
}
