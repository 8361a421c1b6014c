import { ReplyReader } from "./reply-reader.ts";

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
