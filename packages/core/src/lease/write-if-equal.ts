import { isCommandError, unwrap } from "../errors/command-error.ts";
import type { Argument, Command, Reply, Transport } from "../ports/transport.ts";

/** A write that takes effect only where a key holds what is expected. */
export interface ConditionalWrite {
  /** With the prefix. */
  readonly key: string;
  readonly expected: string | Uint8Array;
  /** What follows the key in a SET: the value and its expiry. Absent: the key is deleted. */
  readonly set?: readonly Argument[];
}

/** Sends commands in one round trip. */
export type SendCommands = (commands: readonly Command[]) => Promise<Reply[]>;

/**
 * The same in one step for a Redis before 8.4; the memory backend knows IFEQ. It is sent by its text, so that neither a
 * hash nor a second round trip is needed.
 */
const lua = `
if redis.pcall("GET", KEYS[1]) ~= ARGV[1] then return 0 end
if #ARGV == 1 then return redis.call("DEL", KEYS[1]) end
redis.call("SET", KEYS[1], unpack(ARGV, 2))
return 1`;

/** The transports whose server has refused IFEQ. It is asked once: until the process ends, a script does the same. */
const withoutIfeq = new WeakSet<Transport>();

/**
 * Writes, or deletes, only where the key still holds `expected`: one command where the server knows IFEQ (Upstash,
 * Redis 8.4), a script elsewhere.
 *
 * @returns whether the condition held.
 */
export async function writeIfEqual(
  transport: Transport,
  send: SendCommands,
  write: ConditionalWrite,
): Promise<boolean> {
  if (!withoutIfeq.has(transport)) {
    const [reply = null] = await send([commandOf(write)]);
    if (!isUnknownToServer(reply)) return reply === "OK" || unwrap(reply) === 1;
    withoutIfeq.add(transport);
  }
  const { key, expected, set = [] } = write;
  const [outcome = null] = await send([["EVAL", lua, 1, key, expected, ...set]]);
  return unwrap(outcome) === 1;
}

function commandOf({ key, expected, set }: ConditionalWrite): Command {
  return set ? ["SET", key, ...set, "IFEQ", expected] : ["DELEX", key, "IFEQ", expected];
}

const isUnknownToServer = (reply: Reply): boolean =>
  isCommandError(reply) && /syntax error|unknown command|command is not available/i.test(reply.message);
