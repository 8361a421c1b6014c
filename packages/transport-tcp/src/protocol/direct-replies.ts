import { channel } from "node:diagnostics_channel";
import type { TcpClient } from "../tcp-client.ts";
import { type InterceptedData, interceptData } from "./intercepted-data.ts";
import { ReplyReader } from "./reply-reader.ts";
import { types } from "./reply-rules.ts";
import type { DirectTrip, ReplyEvents, ReplySink, WatchedReplies } from "./watched-replies.ts";

/** The replies of a client's connection, of which some are read here and the client's own parser reads the others. */
export interface DividedReplies {
  readonly data: InterceptedData;
  /** Whether the reply that is being handed out is `+QUEUED`. */
  readonly isQueued: boolean;
  /**
   * The long integers of the reply that the client is handing out, as they came: the next one that was not taken yet.
   */
  nextLongInteger(): number | undefined;
}

export interface DivideOptions {
  /** Begins with another socket. */
  onSocket?(stream: TcpClient["stream"]): void;
  /** Who gets the reply that begins there; undefined when it is the client's. */
  claim(chunk: Buffer, at: number): ReplySink | undefined;
  /** A part of a reply that is the client's comes, and has been given to the client. */
  beforeParsing?(isBeginning: boolean): void;
  afterParsing?(): void;
  /** What has come cannot be replies of Redis. Nothing more is read; the socket must be destroyed. */
  onProblem(problem: string): void;
}

export function divideReplies(client: TcpClient, options: DivideOptions): DividedReplies {
  const { claim, beforeParsing, afterParsing, onProblem } = options;
  /** The reader of the reply that is being handed out. */
  let marked: ReplyReader | undefined;
  let taken = 0;

  const data = interceptData(client, {
    onProblem,
    listen(stream, parse) {
      options.onSocket?.(stream);
      const reader = new ReplyReader();
      let isBeginning = true;
      let sink: ReplySink | undefined;

      return (chunk) => {
        data.lastAt = performance.now();
        for (let at = 0; at < chunk.length && reader.problem === undefined && !stream.destroyed; ) {
          if (isBeginning) {
            sink = claim(chunk, at);
            reader.begin(sink !== undefined, sink?.errorDepth ?? 0);
          }
          const end = reader.read(chunk, at);
          if (reader.problem !== undefined) return onProblem(reader.problem);
          const next = end < 0 ? chunk.length : end;
          if (!sink) beforeParsing?.(isBeginning);
          isBeginning = end >= 0;
          taken = 0;
          marked = isBeginning ? reader : undefined;
          try {
            if (!sink) parse(chunk.subarray(at, next));
            else if (isBeginning) sink.take(reader.take());
          } finally {
            marked = undefined;
          }
          if (!sink) afterParsing?.();
          at = next;
        }
      };
    },
  });

  return {
    data,
    get isQueued() {
      return marked?.isQueued ?? false;
    },
    nextLongInteger: () => marked?.longIntegers?.[taken++],
  };
}

export interface DirectEvents extends ReplyEvents {
  /** The oldest trip on the connection that lacks replies. */
  readonly inFlight: { readonly first: DirectTrip | undefined };
  /** A socket has closed, and with it what would have brought the replies that are read from it. */
  onLost(socket: TcpClient["stream"]): void;
}

/**
 * The diagnostics channels to which ioredis publishes each command. They are checked one by one: not every runtime
 * can check a tracing channel as a whole.
 */
const tracingChannels = ["start", "end", "asyncStart", "asyncEnd", "error"].map((event) =>
  channel(`tracing:ioredis:command:${event}`),
);
const isTraced = (): boolean => tracingChannels.some(({ hasSubscribers }) => hasSubscribers);

type DirectClient = TcpClient & { readonly mode?: unknown };

/**
 * Reads the replies of trips that are written past ioredis, on a socket that ioredis has connected and writes to as
 * well. Redis answers in order: before the replies of a trip come those of the commands that ioredis had written
 * before, and these go to its parser.
 */
export function readDirectReplies(client: DirectClient, { inFlight, onProblem, onLost }: DirectEvents): WatchedReplies {
  let socket: TcpClient["stream"] | undefined;
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
      socket = stream;
      answered = 0;
      front = undefined;
      queue = queueOf(client);
      isListeningQueued = queue ? createListeningCheck(queue) : () => true;
      // By then ioredis has given up its own commands.
      stream.once("close", () => onLost(stream));
    },
    claim(chunk, at) {
      const trip = inFlight.first;
      if (trip === undefined || trip.socket !== socket || answered < trip.clientCommandsBefore) return undefined;
      return chunk[at] === types.push ? undefined : trip;
    },
    beforeParsing(isBeginning) {
      if (isBeginning) front = queue?.peekFront();
    },
    afterParsing: countAnswered,
  });

  return Object.assign(replies, {
    expects(trip: DirectTrip): boolean {
      if (queue === undefined || client.stream !== socket || queueOf(client) !== queue) return false;
      if (client.mode !== "normal" || isTraced()) return false;
      // Messages have no place in any order, so while the client listens, or is about to, it sorts out what comes.
      if (queue.length > 0 && isListeningQueued()) return false;
      countAnswered();
      trip.clientCommandsBefore = answered + queue.length;
      trip.socket = socket;
      return true;
    },
  });
}

/**
 * The commands of an ioredis client whose replies are missing, in order: the part of its `commandQueue` that is used
 * here.
 */
interface ClientQueue {
  readonly length: number;
  peekFront(): QueuedCommand | undefined;
  peekBack(): QueuedCommand | undefined;
  peekAt(index: number): QueuedCommand | undefined;
}

interface QueuedCommand {
  readonly command: { readonly name: string };
}

/** A client's queue, of which it has another one for each connection; undefined when it is not what it was. */
function queueOf(client: TcpClient): ClientQueue | undefined {
  const { commandQueue } = client as TcpClient & { readonly commandQueue?: Partial<ClientQueue> };
  const isKnown =
    typeof commandQueue?.length === "number" &&
    typeof commandQueue.peekFront === "function" &&
    typeof commandQueue.peekBack === "function" &&
    typeof commandQueue.peekAt === "function";
  return isKnown ? (commandQueue as ClientQueue) : undefined;
}

/** Tells whether a command that begins or ends listening to channels is among those that a queue holds. */
function createListeningCheck(queue: ClientQueue): () => boolean {
  /** The last command up to which there was none. */
  let checked: QueuedCommand | undefined;
  return () => {
    const last = queue.peekBack();
    if (last !== checked) {
      for (let at = queue.length - 1; at >= 0; at--) {
        const queued = queue.peekAt(at) as QueuedCommand;
        if (queued === checked) break;
        if (/subscribe$/i.test(queued.command.name)) return true;
      }
    }
    checked = last;
    return false;
  };
}
