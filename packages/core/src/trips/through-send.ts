import { TransportError } from "../errors/transport-error.ts";
import type { Reply, SendOptions, Transport } from "../ports/transport.ts";
import type { Dispatch, ReplyHandler, RoundTrip } from "./round-trip.ts";

/** Sends round trips by a transport's `send`. What it resolves to is checked: it may be the code of a third party. */
export function throughSend(transport: Pick<Transport, "name" | "send">): Dispatch {
  return (trip, handler) => {
    const { commands } = trip;
    const checked: ReplyHandler = {
      answered(replies) {
        if (Array.isArray(replies) && replies.length === commands.length) handler.answered(replies);
        else handler.failed(wrongCountError(transport.name, commands.length, replies));
      },
      failed: (error) => handler.failed(error),
    };
    settleInto(checked, () => transport.send(commands, sendOptionsOf(trip)));
  };
}

function wrongCountError(transport: string, expected: number, replies: unknown): TransportError {
  const got = Array.isArray(replies) ? String(replies.length) : "no list";
  const text = `Expected one reply for each command, ${expected} in all, got ${got}`;
  return new TransportError("protocol", `${text} (the transport "${transport}" has to bring them)`, { transport });
}

/** What a transport has to know of a round trip, as the options of `send`. */
function sendOptionsOf(trip: RoundTrip): SendOptions {
  const { options, leftMs } = trip;
  return trip.fallbackAnswer
    ? { ...options, timeoutMs: leftMs, isWanted: () => trip.isWanted }
    : { ...options, timeoutMs: leftMs };
}

/** Tells a handler what becomes of some asynchronous work. */
export function settleInto(handler: ReplyHandler, work: () => Promise<Reply[]>): void {
  let answer: Promise<Reply[]>;
  try {
    // A third party's `send` may forget the promise.
    answer = Promise.resolve(work());
  } catch (error) {
    handler.failed(error);
    return;
  }
  answer.then(
    (replies) => handler.answered(replies),
    (error: unknown) => handler.failed(error),
  );
}
