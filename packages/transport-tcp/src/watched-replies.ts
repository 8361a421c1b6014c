import { type MarkedReply, ReplyScanner } from "./reply-scanner.ts";
import type { TcpClient } from "./tcp-options.ts";

/** What is told of the bytes that a client receives. */
export interface ReplyEvents {
  /** These cannot be replies of Redis. The parser does not see them; the socket must be destroyed. */
  onProblem(problem: string): void;
}

/** The replies of a client, looked through before its parser sees them. */
export interface WatchedReplies {
  /** When bytes came last, by `performance.now()`. */
  readonly lastAt: number;
  /** Whether the reply that the client is handing out is `+QUEUED`: its command was put into a transaction. */
  readonly isQueued: boolean;
  /** The integers of that reply which are so long that the client has rounded them: the next one that was not taken yet. */
  nextLongInteger(): number | undefined;
  /** Begins with a socket that was connected before, as soon as no reply is on its way. */
  attach(): void;
  /** Looks at no further socket. */
  stop(): void;
}

/** Whether an `error` event says that there was a reply too many, after which ioredis goes on as if nothing had happened. */
export const isWithoutCommand = (error: Error): boolean => error.message.startsWith("Command queue state error");

type Parser = (chunk: Buffer) => void;

/**
 * Puts a scanner between a client's socket and its parser. It works for every copy and version of ioredis, since it takes
 * the place of the parser among the socket's listeners.
 */
export function watchReplies(client: TcpClient, { onProblem }: ReplyEvents): WatchedReplies {
  let watched: TcpClient["stream"] | undefined;
  let lastAt = performance.now();
  let marked: MarkedReply | undefined;
  let taken = 0;

  const watch = (): void => {
    const { stream } = client;
    if (!stream || stream === watched) return;
    const parsers = stream.listeners("data") as Parser[];
    if (parsers.length === 0) return;
    watched = stream;
    for (const parser of parsers) stream.off("data", parser);
    const parse: Parser = (chunk) => {
      for (const parser of parsers) parser.call(stream, chunk);
    };
    const scanner = new ReplyScanner();
    stream.prependListener("data", (chunk: Buffer) => {
      lastAt = performance.now();
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
    });
  };

  const hear = (error: Error): void => {
    // Its text repeats the reply, which may hold a stored value.
    if (isWithoutCommand(error)) onProblem("a reply that belongs to no command");
  };
  client.on("connect", watch);
  client.on("error", hear);
  return {
    get lastAt() {
      return lastAt;
    },
    get isQueued() {
      return marked?.isQueued ?? false;
    },
    nextLongInteger: () => marked?.longIntegers[taken++],
    attach() {
      if (client.stream === watched || client.status !== "ready") return;
      // In the middle of a reply there is no telling where the next one begins.
      const { commandQueue } = client as TcpClient & { readonly commandQueue?: { readonly length: number } };
      if (commandQueue?.length === 0) watch();
    },
    stop() {
      client.off("connect", watch);
      client.off("error", hear);
    },
  };
}
