import { type PendingPush, plainPush } from "./pending-push.ts";
import type { PriorityStream } from "./queue-keys.ts";

/** A push that Redis has accepted. */
export interface AcceptedPush {
  readonly push: PendingPush;
  /** The id of its entry, or its due time; "" if it is not known. */
  readonly entryId: string;
}

/**
 * Pushes that Redis has accepted in one command. They are held for a minute and rarely read, so they stay the few long
 * texts that were sent and answered: the garbage collector moves those faster than an object for each push.
 */
export interface AcceptedPushes {
  readonly count: number;
  /** The memory they take, roughly. */
  readonly bytes: number;
  /** The ids of the messages, in any order. */
  ids(): Iterable<string>;
  /** In order. */
  each(): readonly AcceptedPush[];
}

/** One push that was accepted by itself. */
export class SingleAcceptedPush implements AcceptedPushes {
  readonly count = 1;
  readonly bytes: number;
  readonly #accepted: AcceptedPush;

  constructor(push: PendingPush, entryId: string) {
    this.bytes = push.bytes;
    this.#accepted = { push, entryId };
  }

  ids(): readonly string[] {
    return [this.#accepted.push.id];
  }

  each(): readonly AcceptedPush[] {
    return [this.#accepted];
  }
}

/** Pushes of one `pushManyScript`. */
export class AcceptedLines implements AcceptedPushes {
  readonly count: number;
  readonly bytes: number;
  readonly #stream: PriorityStream;
  readonly #lines: string;
  readonly #entryIds: string;

  /** @param entryIds - The entries' ids of the first `count` messages, as lines; at least one. */
  constructor(stream: PriorityStream, lines: string, entryIds: string, count: number) {
    this.count = count;
    this.bytes = lines.length + entryIds.length;
    this.#stream = stream;
    this.#lines = lines;
    this.#entryIds = entryIds;
  }

  get lastEntryId(): string {
    return this.#entryIds.slice(this.#entryIds.lastIndexOf("\n") + 1);
  }

  *ids(): Generator<string> {
    const words = this.#lines.split("\n");
    for (let at = 0; at < this.count; at++) yield words[2 * at] as string;
  }

  each(): AcceptedPush[] {
    const words = this.#lines.split("\n");
    return this.#entryIds.split("\n").map((entryId, at) => {
      return { push: plainPush(words[2 * at] as string, words[2 * at + 1] as string, this.#stream), entryId };
    });
  }
}
