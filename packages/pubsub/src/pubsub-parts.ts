import { loadedOnce } from "@continuum-cache/core/kit";
import type { Publisher } from "./publishing/publisher.ts";
import type { PubSubSettings } from "./settings.ts";
import type { ChannelSources, ChannelSourcesParts } from "./sources/channel-sources.ts";
import type { ConnectionChange } from "./types.ts";

/** The listening part and the publishing part. The code of each is loaded at its first use. */
export interface PubSubParts {
  sources(): Promise<ChannelSources>;
  publisher(): Promise<Publisher>;
  /** Reports no more changes of the connection. Safe to call before there is one. */
  stop(): void;
}

export interface PubSubListener {
  readonly onError: ChannelSourcesParts["onError"];
  readonly onConnection: (change: ConnectionChange) => void;
  /** The transport was closed. */
  readonly onOver: () => void;
}

export function createPubSubParts(settings: PubSubSettings, listener: PubSubListener): PubSubParts {
  const { transport, codec, timeoutMs } = settings;
  let stops: (() => void)[] = [];
  let isStopped = false;
  return {
    sources: loadedOnce(
      () => Promise.all([import("@continuum-cache/core/streams"), import("./sources/channel-sources.ts")]),
      ([{ sharedStreamOf }, { createChannelSources }]) => {
        const stream = sharedStreamOf(transport, settings.stream);
        if (!isStopped) stops = [stream.onConnection(listener.onConnection), stream.onOver(listener.onOver)];
        return createChannelSources({ transport, stream, codec, timeoutMs, onError: listener.onError });
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
