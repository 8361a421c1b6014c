import type { ConnectionChange } from "./connection-change.ts";
import type { Gap } from "./gap.ts";
import type { Message } from "./message.ts";
import type { Position } from "./position.ts";

/** What a PubSub tells to listeners. */
export interface PubSubEvents {
  /** A message of a subscription that has no handler of its own. */
  readonly message: Message;
  /** Messages that a subscription without a handler of its own, or a loop over `listen()`, did not get. */
  readonly gap: Gap;
  /** The stream broke, or is there again; gaps say what that means for each channel. */
  readonly connection: ConnectionChange;
  /**
   * Something that no call could be told: a message that can't be decoded (it is skipped; `position` is its place in the
   * history, where it has one), a history that can't be read, an entry in it that is no message.
   */
  readonly error: { readonly channel: string; readonly error: Error; readonly position?: Position };
}
