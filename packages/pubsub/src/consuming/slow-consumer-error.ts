import type { Position } from "../types.ts";

/**
 * A consumer was slower than its messages came, and its buffer is full. Ends `listen()` where `whenFull` is
 * `"disconnect"`. Messages of replay channels are not lost: subscribe again with `after`.
 */
export class SlowConsumerError extends Error {
  override readonly name = "SlowConsumerError";
  /** The last message that was handed out, for each channel with a history. */
  readonly positions: ReadonlyMap<string, Position>;

  constructor(waiting: number, positions: ReadonlyMap<string, Position>) {
    super(
      `${waiting} messages wait for a consumer that does not take them: ` +
        "make it faster, raise `buffer`, or choose another `whenFull`",
    );
    this.positions = positions;
  }
}
