import {
  type Command,
  CommandError,
  errorFromRedis,
  isTransportError,
  type Reply,
  TransportError,
} from "@continuum-cache/core";
import type { Connection } from "./connection.ts";
import { toReply } from "./reply.ts";
import { transportName } from "./tcp-error.ts";
import { wireBytes } from "./wire-command.ts";

/** The commands of one `send`, on their way. */
export interface Trip {
  readonly commands: readonly Command[];
  /** What is written: the commands, with MULTI and EXEC around them when they are atomic. */
  readonly wire: readonly Command[];
  readonly bytes: number;
  /** One reply for each command. Rejects with a `TransportError`. */
  readonly answered: Promise<Reply[]>;
  /** The connection that has written it; while there is none, it surely has not reached the server. */
  writtenTo: Connection | undefined;
  /** Whether `answered` has been decided. */
  settled(): boolean;
  /** Notes what came back for the command at this place of `wire`. After the last one the trip is answered. */
  note(index: number, raw: unknown): void;
  fail(error: TransportError): void;
  /** Called once, when `answered` is decided. */
  onSettled: (() => void) | undefined;
  /** Called when the connection no longer owes it anything: the next trip to its keys may go any way. */
  onGone: (() => void) | undefined;
}

export function createTrip(commands: readonly Command[], atomic: boolean): Trip {
  const wire: readonly Command[] = atomic ? [["MULTI"], ...commands, ["EXEC"]] : commands;
  const slots: Slot[] = new Array(wire.length);
  let bytes = 0;
  for (const command of wire) bytes += wireBytes(command);
  let missing = wire.length;
  let settled = false;
  let resolve: (replies: Reply[]) => void = () => {};
  let reject: (error: TransportError) => void = () => {};
  const answered = new Promise<Reply[]>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  const trip: Trip = {
    commands,
    wire,
    bytes,
    answered,
    writtenTo: undefined,
    settled: () => settled,
    note(index, raw) {
      // Sorted at once: the raw bytes are views of whole network chunks, which they would keep in memory meanwhile.
      const isExec = atomic && index === wire.length - 1;
      slots[index] = isExec && Array.isArray(raw) ? raw.map(toSlot) : toSlot(raw);
      if (--missing > 0 || settled) return;
      try {
        resolve(atomic ? atomicReplies(slots) : replies(slots));
        settled = true;
        trip.onSettled?.();
      } catch (error) {
        trip.fail(error as TransportError);
      }
    },
    fail(error) {
      if (settled) return;
      settled = true;
      reject(error);
      trip.onSettled?.();
    },
    onSettled: undefined,
    onGone: undefined,
  };
  return trip;
}

/** A reply, the reason why there is none, or what EXEC answered: the slots of its commands. */
type Slot = Reply | TransportError | readonly Slot[];

function toSlot(raw: unknown): Slot {
  return raw instanceof Error ? errorFromRedis(raw.message, transportName) : toReply(raw);
}

/** All replies, or the reason why there is none. A refusal of the whole server says "none ran" only if it hit all. */
function replies(slots: readonly Slot[]): Reply[] {
  if (!slots.some(isTransportError)) return slots as Reply[];
  const refused = slots.filter(isTransportError);
  const first = refused[0] as TransportError;
  if (refused.length === slots.length) throw first;
  throw new TransportError(first.kind, first.message, { transport: transportName });
}

function atomicReplies([begun, ...rest]: readonly Slot[]): Reply[] {
  if (isTransportError(begun)) throw new TransportError(begun.kind, begun.message, { transport: transportName });
  if (begun instanceof CommandError) {
    throw new TransportError("protocol", `The server refuses MULTI: ${begun.message}`, { transport: transportName });
  }
  const queued = rest.slice(0, -1);
  const done = rest.at(-1);
  if (Array.isArray(done)) return replies(done);
  // Nothing was applied, so what was wrong with one command is said in its place, and the others say that they were discarded.
  const refused = queued.find(isTransportError) ?? (isTransportError(done) ? done : undefined);
  if (refused) throw refused;
  const discarded = done instanceof CommandError ? done : new CommandError("EXECABORT Transaction discarded");
  return queued.map((slot) => (slot instanceof CommandError ? slot : discarded));
}
