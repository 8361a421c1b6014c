export { SlowConsumerError } from "./consuming/slow-consumer-error.ts";
export type {
  BufferOptions,
  ListenOptions,
  PublishOptions,
  PubSubBackend,
  PubSubOptions,
  ReplayOptions,
  SubscribeCallOptions,
  SubscribeOptions,
  SubscriptionHandlers,
} from "./options.ts";
export { PubSub } from "./pubsub.ts";
export type {
  ChannelSubscription,
  ConnectionChange,
  Gap,
  GapReason,
  Message,
  Position,
  Published,
  PubSubEvents,
} from "./types.ts";
