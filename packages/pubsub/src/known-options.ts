import { ConfigError, type KnownOptions } from "@continuum-cache/core";
import type { ListenOptions } from "./listen-options.ts";
import type { Position } from "./position.ts";
import type { PublishOptions } from "./publish-options.ts";
import type { SubscribeCallOptions, SubscribeOptions, SubscriptionHandlers } from "./subscribe-options.ts";

/** How a pattern is listened to: a history belongs to one channel. */
export type PatternOptions<Data = unknown> = SubscriptionHandlers<Data> & SubscribeCallOptions;

export const knownPublish: KnownOptions<PublishOptions> = { replay: true, timeout: true, signal: true, fallback: true };
export const knownListen: KnownOptions<ListenOptions> = { signal: true };
export const knownPattern: KnownOptions<PatternOptions> = { onMessage: true, onGap: true, timeout: true, signal: true };
export const knownSubscribe: KnownOptions<SubscribeOptions> = { ...knownPattern, replay: true, after: true };

/** @throws ConfigError when it is no place to begin behind. -1 is the place before the first message. */
export function assertAfter(after: Position | "beginning", hasReplay: boolean, channels: number): void {
  const { epoch, seq } = (typeof after === "object" && after !== null ? after : {}) as Partial<Position>;
  const isPosition =
    Number.isSafeInteger(epoch) && Number.isSafeInteger(seq) && (epoch as number) >= 0 && (seq as number) >= -1;
  if (after !== "beginning" && !isPosition) {
    throw new ConfigError("after", 'Expected `after` to be a position { epoch, seq } of whole numbers, or "beginning"');
  }
  if (!hasReplay) throw new ConfigError("after", "Expected `after` only together with `replay`");
  if (channels > 1) {
    throw new ConfigError("after", "Expected `after` with one channel, got several: each has a history of its own");
  }
}
