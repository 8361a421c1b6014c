import { channel } from "node:diagnostics_channel";
import { type ClientQueue, createListeningCheck, queueOf } from "./client-queue.ts";
import { createDebts } from "./debts.ts";
import { divideReplies } from "./divided-replies.ts";
import { types } from "./reply-rules.ts";
import type { TcpClient } from "./tcp-options.ts";
import type { Trip } from "./trip.ts";
import type { ReplyEvents, WatchedReplies } from "./watched-replies.ts";

export interface DirectEvents extends ReplyEvents {
  /** The socket has closed, and with it what would have brought the replies of these. */
  onLost(trips: readonly Trip[]): void;
}

/** Where ioredis tells of each command that it sends. Not every runtime can say of all of them together whether one is heard. */
const tracingChannels = ["start", "end", "asyncStart", "asyncEnd", "error"].map((event) =>
  channel(`tracing:ioredis:command:${event}`),
);
const isTraced = (): boolean => tracingChannels.some(({ hasSubscribers }) => hasSubscribers);

const modeOf = (client: TcpClient & { readonly mode?: unknown }): unknown => client.mode;

/**
 * Reads the replies of trips that are written past ioredis, on a socket that ioredis has connected and writes to as well.
 * Redis answers in order: before the replies of a trip come those of the commands that ioredis had written before, and
 * these go to its parser.
 */
export function readDirectReplies(client: TcpClient, { onProblem, onLost }: DirectEvents): WatchedReplies {
  let trips = createDebts();
  let queue: ClientQueue | undefined;
  let isListeningQueued: () => boolean = () => true;
  /** How many commands of the client have been answered on this socket. */
  let answered = 0;
  /** The oldest command of the client when the reply began that is on its way to it; undefined once it is answered. */
  let front: object | undefined;

  /** Some replies answer no command, such as a message, and some commands have several replies: the queue tells. */
  const countAnswered = (): void => {
    if (front === undefined || queue?.peekFront() === front) return;
    front = undefined;
    answered++;
  };

  const replies = divideReplies(client, {
    onProblem,
    onSocket(stream) {
      const own = createDebts();
      trips = own;
      answered = 0;
      front = undefined;
      queue = queueOf(client);
      isListeningQueued = queue ? createListeningCheck(queue) : () => true;
      // By then ioredis has given up its own commands.
      stream.once("close", () => onLost(own.trips()));
    },
    claim(chunk, at) {
      const trip = trips.oldest();
      if (trip === undefined || answered < trip.clientCommandsBefore || chunk[at] === types.push) return -1;
      return trip.errorDepth;
    },
    take(reply) {
      const trip = trips.oldest() as Trip;
      trip.take(reply);
      if (trip.missing === 0) trips.clear();
    },
    beforeParsing(isBeginning) {
      if (isBeginning) front = queue?.peekFront();
    },
    afterParsing: countAnswered,
  });

  return {
    get lastAt() {
      return replies.lastAt;
    },
    get isQueued() {
      return replies.isQueued;
    },
    nextLongInteger: replies.nextLongInteger,
    expects(trip) {
      if (queue === undefined || client.stream !== replies.stream || queue !== queueOf(client)) return false;
      if (modeOf(client) !== "normal" || isTraced()) return false;
      // Messages have no place in any order, so while the client listens, or is about to, it sorts out what comes.
      if (queue.length > 0 && isListeningQueued()) return false;
      countAnswered();
      trip.clientCommandsBefore = answered + queue.length;
      trips.add(trip);
      return true;
    },
    attach: replies.attach,
    stop: replies.stop,
  };
}
