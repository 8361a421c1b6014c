import { loadedOnce } from "@continuum-cache/core/kit";
import type { Feeds, FeedsParts } from "./feeds/feeds.ts";
import type { Publisher } from "./publishing/publisher.ts";
import type { PubSubSettings } from "./settings.ts";
import type { ConnectionChange } from "./types.ts";

/** What listens and what publishes. The code of each is loaded at its first use. */
export interface PubSubParts {
  feeds(): Promise<Feeds>;
  publisher(): Promise<Publisher>;
  /** Tells no more of the connection. Safe to call before there is one. */
  stop(): void;
}

export interface PubSubListener {
  readonly onError: FeedsParts["onError"];
  readonly onConnection: (change: ConnectionChange) => void;
  /** The transport was closed. */
  readonly onOver: () => void;
}

export function createPubSubParts(settings: PubSubSettings, listener: PubSubListener): PubSubParts {
  const { transport, codec, timeoutMs } = settings;
  let stops: (() => void)[] = [];
  let isStopped = false;
  return {
    feeds: loadedOnce(
      () => Promise.all([import("./hub/hub.ts"), import("./feeds/feeds.ts")]),
      ([{ hubOf }, { createFeeds }]) => {
        const hub = hubOf(transport, settings.hub);
        if (!isStopped) stops = [hub.onConnection(listener.onConnection), hub.onOver(listener.onOver)];
        return createFeeds({ transport, hub, codec, timeoutMs, onError: listener.onError });
      },
    ),
    publisher: loadedOnce(
      () => import("./publishing/publisher.ts"),
      ({ createPublisher }) => createPublisher(transport),
    ),
    stop() {
      isStopped = true;
      for (const stop of stops) stop();
    },
  };
}
