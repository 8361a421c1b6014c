import { type Command, ConfigError, type Reply } from "@continuum-cache/core";
import { assertOptions, isWrite, type KnownOptions, keysOf } from "@continuum-cache/core/kit";
import { argumentBytes, argumentText } from "./protocol/argument-text.ts";
import {
  keySizeExceeded,
  recordSizeExceeded,
  requestSizeExceeded,
  requestsExceeded,
} from "./protocol/service-texts.ts";

/** The limits of the plan that the server simulates. */
export interface UpstashLimits {
  /** How many commands may run before the quota is used up; each command of a pipeline counts. @default Infinity */
  readonly requests?: number;
  /** The largest single command, its arguments together, and the largest reply to one, in bytes. @default 10_485_760 */
  readonly requestBytes?: number;
  /**
   * The largest body of a pipeline or transaction, in bytes: what this process is willing to hold.
   *
   * @default 134_217_728
   */
  readonly pipelineBytes?: number;
  /** How many commands one pipeline or transaction may hold. @default 10_000 */
  readonly pipelineCommands?: number;
  /** When the replies of a pipeline are over so many bytes together, the rest of it is not run. @default 104_857_600 */
  readonly pipelineReplyBytes?: number;
  /**
   * The bodies and replies of all requests that are being answered, in bytes; beyond it requests are 503.
   *
   * @default 536_870_912
   */
  readonly heldBytes?: number;
  /** How many streams may be open at once. @default 1_000 */
  readonly streams?: number;
  /** The longest key, in bytes. @default 32_768 */
  readonly keyBytes?: number;
  /** The largest record that one command may write, in bytes; what it adds to is not counted. @default 104_857_600 */
  readonly recordBytes?: number;
}

const knownLimits: KnownOptions<UpstashLimits> = {
  requests: true,
  requestBytes: true,
  pipelineBytes: true,
  pipelineCommands: true,
  pipelineReplyBytes: true,
  heldBytes: true,
  streams: true,
  keyBytes: true,
  recordBytes: true,
};

/** Checks commands and replies against the plan. */
export interface Limits extends Required<UpstashLimits> {
  /** Commands that counted so far. */
  readonly used: number;
  /** The error for a command that is too large as a request, or `undefined`. */
  oversizedRequest(command: Command): string | undefined;
  /** The error for a key or record that is too large, or `undefined`. */
  oversizedRecord(command: Command): string | undefined;
  /** The error for a reply that is too large, or `undefined`. */
  oversizedReply(reply: Reply): string | undefined;
  /** Counts commands against the quota, all or none. The error when it is used up, or `undefined`. */
  charge(commands: readonly Command[]): string | undefined;
}

const free = new Set(["COMMAND", "CONFIG", "INFO", "PING"]);

/** @throws ConfigError when a limit is unknown, or no number above zero. */
export function createLimits(options: UpstashLimits = {}): Limits {
  assertOptions("limits", options, knownLimits);
  const {
    requests = Number.POSITIVE_INFINITY,
    requestBytes = 10 << 20,
    pipelineBytes = 128 << 20,
    pipelineCommands = 10_000,
    pipelineReplyBytes = 100 << 20,
    heldBytes = 512 << 20,
    streams = 1_000,
    keyBytes = 32 << 10,
    recordBytes = 100 << 20,
  } = options;
  const values = {
    requests,
    requestBytes,
    pipelineBytes,
    pipelineCommands,
    pipelineReplyBytes,
    heldBytes,
    streams,
    keyBytes,
    recordBytes,
  };
  for (const [name, value] of Object.entries(values)) {
    const valid = typeof value === "number" && (name === "requests" ? value >= 0 : value > 0);
    if (!valid) {
      throw new ConfigError(
        `limits.${name}`,
        `Expected \`limits.${name}\` to be a positive number, got ${String(value)}`,
      );
    }
  }
  let used = 0;

  return {
    ...values,
    get used() {
      return used;
    },
    oversizedRequest(command) {
      const bytes = commandBytes(command);
      return bytes > requestBytes ? requestSizeExceeded(requestBytes, bytes) : undefined;
    },
    oversizedRecord(command) {
      const long = command.slice(1).filter((argument) => argumentBytes(argument) > keyBytes);
      const keys = long.length > 0 ? keysOf(command) : [];
      const key = keys === "database" ? undefined : long.find((argument) => keys.includes(argumentText(argument)));
      if (key !== undefined) return keySizeExceeded(keyBytes, argumentBytes(key));
      return isWrite(command) && commandBytes(command) > recordBytes ? recordSizeExceeded : undefined;
    },
    oversizedReply(reply) {
      const bytes = replyBytes(reply);
      return bytes > requestBytes ? requestSizeExceeded(requestBytes, bytes) : undefined;
    },
    charge(commands) {
      const count = commands.filter(([name]) => !free.has(name)).length;
      if (count > 0 && used + count > requests) return requestsExceeded(requests, used);
      used += count;
      return undefined;
    },
  };
}

const commandBytes = (command: Command): number => command.reduce<number>((sum, part) => sum + argumentBytes(part), 0);

/** The memory of a reply, estimated. Each element counts, since even an empty one takes room when it is written. */
export const weightOf = (reply: Reply): number =>
  Array.isArray(reply) ? reply.reduce((sum: number, each: Reply) => sum + weightOf(each), 32) : 32 + replyBytes(reply);

function replyBytes(reply: Reply): number {
  if (typeof reply === "string") return Buffer.byteLength(reply);
  if (reply instanceof Uint8Array) return reply.byteLength;
  return Array.isArray(reply) ? reply.reduce((sum: number, each: Reply) => sum + replyBytes(each), 0) : 0;
}
