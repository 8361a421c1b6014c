import { CommandError } from "@continuum-cache/core";
import { brand, hasBrand } from "@continuum-cache/core/kit";
import { legible } from "./bulk.ts";

// The errors of Redis, in its own words.

export const wrongType = (): CommandError =>
  new CommandError("WRONGTYPE Operation against a key holding the wrong kind of value");
export const outOfMemory = (): CommandError =>
  new CommandError("OOM command not allowed when used memory > 'maxmemory'.");
export const syntaxError = (): CommandError => new CommandError("ERR syntax error");
export const notAnInteger = (): CommandError => new CommandError("ERR value is not an integer or out of range");
export const notAFloat = (): CommandError => new CommandError("ERR value is not a valid float");
export const noSuchKey = (): CommandError => new CommandError("ERR no such key");
export const wouldOverflow = (): CommandError => new CommandError("ERR increment or decrement would overflow");
export const tooLong = (): CommandError =>
  new CommandError("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
/** @param command - The command's name; `script|load` for a subcommand. */
export const wrongArity = (command: string): CommandError =>
  new CommandError(`ERR wrong number of arguments for '${command.toLowerCase()}' command`);
export const invalidExpireTime = (command: string): CommandError =>
  new CommandError(`ERR invalid expire time in '${command.toLowerCase()}' command`);
export const unknownCommand = (name: string): CommandError =>
  unsupported(`ERR unknown command '${legible(name).slice(0, 128)}'`);
/** In one line, as an error in the protocol has to be. */
export const refusal = (text: string): CommandError => new CommandError(text.replace(/[\r\n]/g, " "));

export const noDigests = (): CommandError =>
  unsupported("ERR This memory computes no digests: compare whole values (IFEQ, IFNE), or give it a `digest`");

const unsupportedMark = "UnsupportedByMemory";

/** An error for what this memory can't do though Redis may. A fallback must not report it as an answer of Redis. */
export function unsupported(text: string): CommandError {
  const error = refusal(text);
  brand(error, unsupportedMark);
  return error;
}

export const isUnsupported = (reply: unknown): reply is CommandError => hasBrand(reply, unsupportedMark);
