import { type InterceptedData, interceptData } from "./intercepted-data.ts";
import type { Slot } from "./replies.ts";
import { ReplyReader } from "./reply-reader.ts";
import type { TcpClient } from "./tcp-options.ts";

/** The replies of a client's connection, of which some are read here and the client's own parser reads the others. */
export interface DividedReplies extends InterceptedData {
  /** Whether the reply that is being handed out is `+QUEUED`. */
  readonly isQueued: boolean;
  /** The long integers of the reply that the client is handing out, as they came: the next one that was not taken yet. */
  nextLongInteger(): number | undefined;
}

export interface DivideOptions {
  /** Begins with another socket. */
  onSocket?(stream: TcpClient["stream"]): void;
  /**
   * Whose the reply is that begins there: in how many arrays of it an error may stand that tells of the connection, when it is
   * read here; -1 when it is the client's.
   */
  claim(chunk: Buffer, at: number): number;
  /** Gets each reply that is read here. */
  take(reply: Slot): void;
  /** A part of a reply that is the client's comes, and has been given to the client. */
  beforeParsing?(isBeginning: boolean): void;
  afterParsing?(): void;
  /** What has come cannot be replies of Redis. Nothing more is read; the socket must be destroyed. */
  onProblem(problem: string): void;
}

export function divideReplies(client: TcpClient, options: DivideOptions): DividedReplies {
  const { claim, take, beforeParsing, afterParsing, onProblem } = options;
  /** The reader of the reply that is being handed out. */
  let marked: ReplyReader | undefined;
  let taken = 0;

  const data = interceptData(client, {
    onProblem,
    listen(stream, parse) {
      options.onSocket?.(stream);
      const reader = new ReplyReader();
      let isOwn = false;

      const handOut = (bytes: Buffer | undefined): void => {
        marked = reader;
        taken = 0;
        try {
          if (bytes) parse(bytes);
          else take(reader.take());
        } finally {
          marked = undefined;
        }
      };

      return (chunk) => {
        for (let at = 0; at < chunk.length && reader.problem === undefined && !stream.destroyed; ) {
          const isBeginning = reader.isBetween;
          if (isBeginning) {
            const errorDepth = claim(chunk, at);
            isOwn = errorDepth >= 0;
            reader.begin(isOwn, errorDepth);
          }
          const end = reader.read(chunk, at);
          if (reader.problem !== undefined) return onProblem(reader.problem);
          const isEnd = end >= 0;
          const next = isEnd ? end : chunk.length;
          if (!isOwn) {
            beforeParsing?.(isBeginning);
            if (isEnd) handOut(chunk.subarray(at, next));
            else parse(chunk.subarray(at, next));
            afterParsing?.();
          } else if (isEnd) handOut(undefined);
          at = next;
        }
      };
    },
  });

  return {
    get lastAt() {
      return data.lastAt;
    },
    get stream() {
      return data.stream;
    },
    get isQueued() {
      return marked?.isQueued ?? false;
    },
    nextLongInteger: () => marked?.longIntegers?.[taken++],
    attach: data.attach,
    stop: data.stop,
  };
}
