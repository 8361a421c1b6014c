import type { Argument, Command } from "@continuum-cache/core";
import { Command as IoredisCommand } from "ioredis";

/** Receives the outcome of each command of a trip, by its index: exactly one call for each. */
export interface AnswerSink {
  reply(index: number, raw: unknown): void;
  fail(index: number, error: Error): void;
}

const ignore = (): void => {};
const options = { replyEncoding: null };
const ping = "*1\r\n$4\r\nPING\r\n";

/**
 * A command that is written once. A caller's own client may want to write it again on its next connection, by itself or
 * because `reconnectOnError` says so: outside its trip it would be out of order, and an increment would count twice.
 */
class SingleCommand extends IoredisCommand {
  /** No place in any pipeline: when a connection ends, ioredis gives up such commands instead of keeping them. */
  override readonly pipelineIndex = -1;
  #isWritten = false;

  override toWritable(socket: object): string | Buffer {
    if (this.#isWritten) {
      this.reject(new Error("The client has tried to send the command a second time"));
      // ioredis awaits one reply.
      return ping;
    }
    this.#isWritten = true;
    return super.toWritable(socket);
  }
}

/**
 * One command as ioredis writes it. The answer is delivered synchronously, so that a trip of a thousand commands does
 * not wait for a thousand promises. The promise of ioredis is settled too, for tracers, but without the reply: its
 * bytes are views of whole network chunks, which many promises together would keep in memory.
 */
export function wireCommand(parts: Command, index: number, sink: AnswerSink): IoredisCommand {
  const args: (string | Buffer)[] = [];
  for (let at = 1; at < parts.length; at++) args.push(toWire(parts[at] as Argument));
  // In upper case ioredis finds none of its transformers, which would reshape arguments and replies.
  const command = new SingleCommand(parts[0].toUpperCase(), args, options);
  const { resolve, reject } = command;
  // A caller's own client may have its own time limit, after which the reply still comes: the first outcome counts.
  command.resolve = (raw) => {
    if (command.isSettled) return;
    resolve(null);
    sink.reply(index, raw);
  };
  command.reject = (error) => {
    if (command.isSettled) return;
    command.promise.catch(ignore);
    reject(error);
    sink.fail(index, error);
  };
  return command;
}

function toWire(arg: Argument): string | Buffer {
  if (typeof arg === "string") return arg;
  return typeof arg === "number" ? String(arg) : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
}
