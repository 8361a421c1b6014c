import type { Command, Reply, SendOptions, Transport } from "@continuum-cache/core";
import { type Expected, expectReply, show } from "../expect/expect-reply.ts";

/** Makes a key that no other run uses. The same name gives the same key within one case. */
export type KeyMaker = (name: string) => string;

/**
 * What a case needs beyond the port's promises:
 *
 * - `bytes-anywhere`: bytes in any argument of any command of a trip, not only as the last one of a single command.
 * - `own-database`: the database is the suite's alone, since it is emptied.
 */
export type CaseNeed = "bytes-anywhere" | "own-database";

/** One promise of the transport port, and how to check it. */
export interface TransportCase {
  readonly title: string;
  readonly needs?: CaseNeed;
  /** Rejects, with what was expected and what came, when the promise is broken. */
  run(transport: Transport, key: KeyMaker): Promise<void>;
}

/** A command, and its expected reply. */
export type Step = readonly [command: Command, expected: Expected];

/** A case that sends commands as one trip and compares all their replies. */
export function exchange(
  title: string,
  steps: (key: KeyMaker) => readonly Step[],
  needs?: CaseNeed,
  options?: SendOptions,
): TransportCase {
  return {
    title,
    ...(needs && { needs }),
    async run(transport, key) {
      const wanted = steps(key);
      const replies = await transport.send(
        wanted.map(([command]) => command),
        options,
      );
      if (replies.length !== wanted.length) {
        throw new Error(`expected ${wanted.length} replies, got ${replies.length}: ${show(replies)}`);
      }
      for (const [index, [command, expected]] of wanted.entries()) {
        try {
          expectReply(replies[index], expected);
        } catch (error) {
          throw new Error(`${show(command)}: ${(error as Error).message}`, { cause: error });
        }
      }
    },
  };
}

/** Sends one command and gives back its reply. */
export async function one(transport: Transport, ...command: Command): Promise<Reply | undefined> {
  const replies = await transport.send([command]);
  if (replies.length !== 1) throw new Error(`expected 1 reply, got ${replies.length}: ${show(replies)}`);
  return replies[0];
}

/** Makes keys in a namespace that was never used before. */
export function keyMaker(prefix: string): KeyMaker {
  const namespace = `${prefix}${globalThis.crypto.randomUUID().slice(0, 8)}:`;
  return (name) => namespace + name;
}
