import type { TcpClient } from "../tcp-client.ts";
import { type InterceptedData, interceptData } from "./intercepted-data.ts";
import type { Slot } from "./replies.ts";
import { ReplyReader } from "./reply-reader.ts";

/** Receives the replies that are read here. */
export interface ReplySink {
  /** In how many arrays of a reply an error may stand that is about the connection. */
  readonly errorDepth: 0 | 1;
  take(reply: Slot): void;
}

/** A trip that is written straight to the socket: its replies are read here. */
export interface DirectTrip extends ReplySink {
  /** The socket from which its replies are read. */
  socket: TcpClient["stream"] | undefined;
  /** How many commands of the client itself are answered on that socket before its first reply comes. */
  clientCommandsBefore: number;
}

/** What can go wrong with the bytes that a client receives. */
export interface ReplyEvents {
  /** These cannot be replies of Redis. The parser does not see them; the socket must be destroyed. */
  onProblem(problem: string): void;
}

/** The replies of a client, checked before its parser sees them. */
export interface WatchedReplies {
  readonly data: InterceptedData;
  /** Whether the reply that is being delivered is `+QUEUED`: its command was put into a transaction. */
  readonly isQueued: boolean;
  /**
   * The next long integer of that reply, as it was received. The client rounds integers beyond 2^53. Each call takes
   * one.
   */
  nextLongInteger(): number | undefined;
  /**
   * Whether the replies to a trip that is written now, straight to the socket, are read here. Otherwise the client
   * has to send its commands.
   */
  expects(trip: DirectTrip): boolean;
}

/** Puts a scanner between a client's socket and its parser, which reads all replies. */
export function watchReplies(client: TcpClient, { onProblem }: ReplyEvents): WatchedReplies {
  let marked: MarkedReply | undefined;
  let taken = 0;

  const data = interceptData(client, {
    onProblem,
    listen(_, parse) {
      const scanner = new ReplyScanner();
      return (chunk) => {
        data.lastAt = performance.now();
        const { problem, marked: replies } = scanner.scan(chunk);
        if (problem !== undefined) {
          onProblem(problem);
          return;
        }
        let done = 0;
        for (const reply of replies) {
          if (reply.start > done) parse(chunk.subarray(done, reply.start));
          marked = reply;
          taken = 0;
          try {
            parse(chunk.subarray(reply.start, reply.end));
          } finally {
            marked = undefined;
          }
          done = reply.end;
        }
        if (done < chunk.length) parse(done === 0 ? chunk : chunk.subarray(done));
      };
    },
  });

  return {
    data,
    get isQueued() {
      return marked?.isQueued ?? false;
    },
    nextLongInteger: () => marked?.longIntegers[taken++],
    expects: () => false,
  };
}

/** What a chunk of replies holds that its reader must know before the chunk is parsed. */
export interface ScannedChunk {
  /** Why these bytes cannot be replies of Redis. The connection must be closed, and nothing of the chunk be parsed. */
  readonly problem: string | undefined;
  /** The replies that end in the chunk and of which their reader must know more than their parser tells. */
  readonly marked: readonly MarkedReply[];
}

export interface MarkedReply {
  /** Where it begins, or goes on, in the chunk, and where it ends. */
  readonly start: number;
  readonly end: number;
  /** Whether it is `+QUEUED`, which only commands inside MULTI get. */
  readonly isQueued: boolean;
  /** Its integers of `longInteger` and more, as they came, in their order. */
  readonly longIntegers: readonly number[];
}

const nothing: readonly never[] = [];

/** Looks through the replies that another parser reads, without building anything. */
export class ReplyScanner {
  readonly #reader = new ReplyReader();

  scan(chunk: Buffer): ScannedChunk {
    const reader = this.#reader;
    let marked: MarkedReply[] | undefined;
    for (let at = 0; at < chunk.length; ) {
      if (reader.isBetween) reader.begin(false, 0);
      const end = reader.read(chunk, at);
      if (end < 0) break;
      if (reader.isQueued || reader.longIntegers) {
        marked ??= [];
        const { isQueued, longIntegers = nothing } = reader;
        marked.push({ start: at, end, isQueued, longIntegers });
      }
      at = end;
    }
    return { problem: reader.problem, marked: marked ?? nothing };
  }
}
