import { type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { argumentText } from "./argument-text.ts";

/** A reply in the wire format of Redis. */
export function respBytes(command: Command, reply: Reply): Buffer {
  if (typeof reply === "string" && isStatus(command, reply)) return Buffer.from(`+${reply}\r\n`);
  return Buffer.concat(chunks(reply));
}

function chunks(reply: Reply): Buffer[] {
  if (reply === null) return [Buffer.from("$-1\r\n")];
  if (typeof reply === "number") return [Buffer.from(`:${reply}\r\n`)];
  if (isCommandError(reply)) return [Buffer.from(`-${reply.message.replace(/[\r\n]+/g, " ")}\r\n`)];
  if (Array.isArray(reply)) return [Buffer.from(`*${reply.length}\r\n`), ...reply.flatMap(chunks)];
  const bytes = typeof reply === "string" ? Buffer.from(reply, "utf8") : (reply as Uint8Array);
  return [Buffer.from(`$${bytes.byteLength}\r\n`), Buffer.from(bytes), Buffer.from("\r\n")];
}

/** Commands whose OK is a status and never a stored value. An engine answers both as the same text. */
const okCommands = new Set(
  `CONFIG FLUSHALL FLUSHDB FUNCTION HMSET LSET LTRIM MSET PFMERGE PSETEX RENAME RESTORE SCRIPT SET SETEX XGROUP`.split(
    " ",
  ),
);

function isStatus([name, ...args]: Command, reply: string): boolean {
  const command = name.toUpperCase();
  if (command === "TYPE") return true;
  if (command === "PING") return args.length === 0;
  if (reply !== "OK" || !okCommands.has(command)) return false;
  // SET with GET answers the old value, which may be this very text.
  return command !== "SET" || !args.slice(2).some((arg) => argumentText(arg).toUpperCase() === "GET");
}
