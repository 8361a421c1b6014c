import type { Command } from "@continuum-cache/core";
import { isWrite, keysOf } from "@continuum-cache/core/kit";

/** Commands that delete whatever these write, or as much of it as is asked for. */
export function deletesOf(commands: readonly Command[], isAsked: (key: string) => boolean = () => true): Command[] {
  return commands.filter(isWrite).flatMap((command): Command[] => {
    const keys = keysOf(command);
    if (keys === "database") return [["FLUSHDB"]];
    return keys.filter(isAsked).map((key) => ["DEL", key]);
  });
}
