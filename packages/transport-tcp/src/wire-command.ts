import type { Argument, Command } from "@continuum-cache/core";
import { Command as IoredisCommand } from "ioredis";

/** What happens to a command that was written. Exactly one of the two is called, once. */
export interface Answer {
  reply(raw: unknown): void;
  fail(error: Error): void;
}

const ignore = (): void => {};

/**
 * One command as ioredis writes it. The answer is told synchronously, so that a trip of a thousand commands does not
 * wait for a thousand promises; ioredis' own promise is settled too, for whoever traces it.
 */
export function wireCommand([name, ...args]: Command, answer: Answer): IoredisCommand {
  // In upper case ioredis finds none of its transformers, which would reshape arguments and replies.
  const command = new IoredisCommand(name.toUpperCase(), args.map(toWire), { replyEncoding: null });
  const { resolve, reject } = command;
  command.resolve = (raw) => {
    resolve(raw);
    answer.reply(raw);
  };
  command.reject = (error) => {
    command.promise.catch(ignore);
    reject(error);
    answer.fail(error);
  };
  return command;
}

function toWire(arg: Argument): string | Buffer {
  if (typeof arg === "string") return arg;
  return typeof arg === "number" ? String(arg) : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
}

/** About how many bytes a command takes on the wire: exact enough to tell large from small. */
export function wireBytes(command: Command): number {
  let bytes = 0;
  for (const part of command) bytes += typeof part === "number" ? 20 : part.length + 10;
  return bytes;
}
