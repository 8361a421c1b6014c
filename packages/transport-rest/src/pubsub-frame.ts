import type { Message } from "@continuum-cache/core";

/** A frame that confirms a channel or pattern. */
export interface Confirmation {
  readonly confirms: string;
}

/**
 * Reads one frame of a subscription: what Redis pushes, joined by commas. Names may hold commas themselves, so they are
 * found by what was asked for, the longest first; the channel of a pattern's message ends at its first comma.
 */
export function readFrame(
  frame: string,
  verb: "subscribe" | "psubscribe",
  names: readonly string[],
): Confirmation | Message | undefined {
  const comma = frame.indexOf(",");
  const type = frame.slice(0, comma);
  const rest = frame.slice(comma + 1);
  const name = longestFirst(names).find((candidate) => rest.startsWith(`${candidate},`));
  if (comma < 0 || name === undefined) return undefined;
  const tail = rest.slice(name.length + 1);
  if (type === verb) return { confirms: name };
  if (verb === "subscribe") return type === "message" ? { channel: name, data: tail } : undefined;
  const split = tail.indexOf(",");
  if (type !== "pmessage" || split < 0) return undefined;
  return { pattern: name, channel: tail.slice(0, split), data: tail.slice(split + 1) };
}

const longestFirst = (names: readonly string[]): string[] => [...names].sort((a, b) => b.length - a.length);
