import type { Argument, Command } from "@continuum-cache/core";
import { wireCommand } from "../protocol/wire-command.ts";
import type { TcpClient } from "../tcp-client.ts";
import type { Trip } from "../trip/trip.ts";

/** Writes trips to the socket of a client. All trips of a tick share one write. */
export interface SocketWriter {
  /** @param isDirect - Past the client, which reads nothing of the replies then; else as commands of the client. */
  write(trip: Trip, isDirect: boolean): void;
}

export function createSocketWriter(client: TcpClient): SocketWriter {
  let corked: TcpClient["stream"] | undefined;

  const corkForThisTick = (): void => {
    const { stream } = client;
    if (!stream || corked === stream) return;
    corked = stream;
    stream.cork();
    process.nextTick(() => {
      if (corked === stream) corked = undefined;
      stream.uncork();
    });
  };

  return {
    write(trip, isDirect) {
      corkForThisTick();
      if (isDirect) {
        writeCommands(client.stream, trip.wire);
        return;
      }
      for (let index = 0; index < trip.wire.length; index++) {
        client.sendCommand(wireCommand(trip.wire[index] as Command, index, trip));
      }
    },
  };
}

/** The parts that commands have in common, such as `*3\r\n$3\r\nSET\r\n`, by the name and the number of parts. */
const heads = new Map<string, (string | undefined)[]>();
/** Names come from callers, so only some are kept. */
const kept = { names: 500, nameLength: 32, parts: 32 };

const lengths: readonly string[] = Array.from({ length: 1_024 }, (_, length) => `$${length}\r\n`);

/** Longer texts are written by themselves, since it takes a copy to join them to others. */
const longText = 16 * 1_024;

/** Writes commands in RESP to a socket, in one piece as far as they are short texts. */
function writeCommands(stream: TcpClient["stream"], commands: readonly Command[]): void {
  let text = "";
  let isAscii = true;
  for (const command of commands) {
    const head = headOf(command);
    text += head ?? `*${command.length}\r\n`;
    for (let at = head === undefined ? 0 : 1; at < command.length; at++) {
      const argument = at === 0 ? command[0].toUpperCase() : (command[at] as Argument);
      const part = typeof argument === "number" ? String(argument) : argument;
      if (typeof part !== "string") {
        stream.write(text + lengthOf(part.length), isAscii ? "latin1" : "utf8");
        // A copy: the bytes are the caller's, who may change them before the socket takes them.
        stream.write(Buffer.from(part));
        text = "\r\n";
        isAscii = true;
        continue;
      }
      const bytes = bytesOf(part);
      if (bytes > longText) {
        stream.write(text + lengthOf(bytes), isAscii ? "latin1" : "utf8");
        stream.write(part, bytes === part.length ? "latin1" : "utf8");
        text = "\r\n";
        isAscii = true;
      } else {
        if (bytes !== part.length) isAscii = false;
        text += `${lengthOf(bytes)}${part}\r\n`;
      }
    }
  }
  stream.write(text, isAscii ? "latin1" : "utf8");
}

const lengthOf = (bytes: number): string => lengths[bytes] ?? `$${bytes}\r\n`;

/** How many bytes a text takes in UTF-8: as many as it has characters when it is ASCII, and only then. */
function bytesOf(text: string): number {
  if (text.length > 48) return Buffer.byteLength(text);
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return Buffer.byteLength(text);
  return text.length;
}

/** How a command begins, with its name; undefined when it is too rare to be kept. */
function headOf(command: Command): string | undefined {
  const name = command[0];
  const parts = command.length;
  const known = heads.get(name);
  const head = known?.[parts];
  if (head !== undefined) return head;
  if (parts > kept.parts || name.length > kept.nameLength || (!known && heads.size >= kept.names)) return undefined;
  const upper = name.toUpperCase();
  if (bytesOf(upper) !== upper.length) return undefined;
  const made = `*${parts}\r\n$${upper.length}\r\n${upper}\r\n`;
  const byParts = known ?? Array<string | undefined>(kept.parts + 1).fill(undefined);
  byParts[parts] = made;
  heads.set(name, byParts);
  return made;
}
