import {
  type Command,
  CommandError,
  errorFromRedis,
  isTransportError,
  type Reply,
  TransportError,
} from "@continuum-cache/core";
import { toReply } from "./reply.ts";
import { isRefusal, transportName } from "./tcp-error.ts";
import { wireBytes } from "./wire-command.ts";

/** The commands of one `send`, on their way. */
export interface Trip {
  readonly commands: readonly Command[];
  /** What is written: the commands, with MULTI and EXEC around them when they are atomic. */
  readonly wire: readonly Command[];
  readonly bytes: number;
  /** One reply for each command. Rejects with a `TransportError`. */
  readonly answered: Promise<Reply[]>;
  /** Whether any of it may have reached the server. */
  written: boolean;
  /** Whether `answered` has been decided. */
  settled(): boolean;
  /** Notes what came back for the command at this place of `wire`. After the last one the trip is answered. */
  note(index: number, raw: unknown): void;
  fail(error: TransportError): void;
  /** Called when the connection no longer owes it anything: the next trip to its keys may go any way. */
  onGone: (() => void) | undefined;
}

export function createTrip(commands: readonly Command[], atomic: boolean): Trip {
  const wire: readonly Command[] = atomic ? [["MULTI"], ...commands, ["EXEC"]] : commands;
  const raws: unknown[] = new Array(wire.length);
  let missing = wire.length;
  let settled = false;
  let resolve: (replies: Reply[]) => void = () => {};
  let reject: (error: TransportError) => void = () => {};
  const answered = new Promise<Reply[]>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  const fail = (error: TransportError): void => {
    settled = true;
    reject(error);
  };
  return {
    commands,
    wire,
    bytes: wire.reduce((sum, command) => sum + wireBytes(command), 0),
    answered,
    written: false,
    settled: () => settled,
    note(index, raw) {
      raws[index] = raw;
      if (--missing > 0 || settled) return;
      try {
        resolve(atomic ? atomicReplies(raws) : replies(raws.map(toSlot)));
        settled = true;
      } catch (error) {
        fail(error as TransportError);
      }
    },
    fail,
    onGone: undefined,
  };
}

type Slot = Reply | TransportError;

const toSlot = (raw: unknown): Slot =>
  raw instanceof Error && isRefusal(raw) ? errorFromRedis(raw.message, transportName) : toReply(raw);

/** All replies, or the reason why there is none. A refusal of the whole server says "none ran" only if it hit all. */
function replies(slots: readonly Slot[]): Reply[] {
  const refused = slots.filter(isTransportError);
  const [first] = refused;
  if (!first) return slots as Reply[];
  if (refused.length === slots.length) throw first;
  throw new TransportError(first.kind, first.message, { transport: transportName });
}

function atomicReplies(raws: readonly unknown[]): Reply[] {
  const [begun, ...rest] = raws.map(toSlot);
  const queued = rest.slice(0, -1);
  const done = rest.at(-1);
  if (isTransportError(begun)) throw new TransportError(begun.kind, begun.message, { transport: transportName });
  if (begun instanceof CommandError) {
    throw new TransportError("protocol", `The server refuses MULTI: ${begun.message}`, { transport: transportName });
  }
  const raw = raws.at(-1);
  if (Array.isArray(raw)) return replies(raw.map(toSlot));
  // Nothing was applied, so what was wrong with one command is said in its place, and the others say that they were discarded.
  const refused = queued.find(isTransportError) ?? (isTransportError(done) ? done : undefined);
  if (refused) throw refused;
  const discarded = done instanceof CommandError ? done : new CommandError("EXECABORT Transaction discarded");
  return queued.map((slot) => (slot instanceof CommandError ? slot : discarded));
}
