import type { TcpClient } from "../tcp-options.ts";
import type { Trip } from "../trip.ts";
import { type InterceptedData, interceptData } from "./intercepted-data.ts";
import { type MarkedReply, ReplyScanner } from "./reply-scanner.ts";

/** What is told of the bytes that a client receives. */
export interface ReplyEvents {
  /** These cannot be replies of Redis. The parser does not see them; the socket must be destroyed. */
  onProblem(problem: string): void;
}

/** The replies of a client, looked through before its parser sees them. */
export interface WatchedReplies {
  readonly data: InterceptedData;
  /** Whether the reply that is being handed out is `+QUEUED`: its command was put into a transaction. */
  readonly isQueued: boolean;
  /** The integers of that reply which are so long that the client has rounded them: the next one that was not taken yet. */
  nextLongInteger(): number | undefined;
  /**
   * Whether the replies to a trip that is written now, straight to the socket, are read here. Otherwise the client has to
   * send its commands.
   */
  expects(trip: Trip): boolean;
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
