import type { Command, Reply } from "@continuum-cache/core";

/** What a Redis behind this server says differently than the service. */
export interface Translation {
  /** The command for the Redis. @param command - With its name in upper case. */
  rewrite(command: Command): Command;
  /** The reply as the caller expects it. */
  restore(original: Command, reply: Reply): Reply;
}

/** Both translations, one after the other. */
export function inTurn(first: Translation, second: Translation): Translation {
  return {
    rewrite: (command) => second.rewrite(first.rewrite(command)),
    restore: (original, reply) => second.restore(original, first.restore(original, reply)),
  };
}
