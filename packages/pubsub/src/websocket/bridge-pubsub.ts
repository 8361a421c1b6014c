import type { ChannelSubscription } from "../channel-subscription.ts";
import type { Gap } from "../gap.ts";
import type { Message } from "../message.ts";
import type { Position } from "../position.ts";
import type { ReplayOptions } from "../replay-options.ts";

/** How a bridge asks for a channel. */
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
