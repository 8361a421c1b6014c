import type { ReplayOptions } from "../options.ts";
import type { ChannelSubscription, Gap, Message, Position } from "../types.ts";

/** The options with which a bridge subscribes. */
export interface BridgeSubscribeOptions {
  readonly replay?: boolean | ReplayOptions;
  readonly after?: Position | "beginning";
  readonly onMessage: (message: Message) => void;
  readonly onGap: (gap: Gap) => void;
}

/** What a bridge needs of a `PubSub`. */
export interface BridgePubSub {
  subscribe(channel: string, options: BridgeSubscribeOptions): Promise<ChannelSubscription>;
}
