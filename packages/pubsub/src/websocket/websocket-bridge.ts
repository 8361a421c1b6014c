import { tell } from "@continuum-cache/core";
import { readBridgeOptions, type WebSocketBridgeOptions } from "./bridge-options.ts";
import type { BridgePubSub } from "./bridge-pubsub.ts";
import { createChannelFeeds } from "./channel-feeds.ts";
import { type BridgeClient, type ClientListener, createClient } from "./client.ts";
import { createClientChannels } from "./client-channels.ts";
import type { ServerSocket } from "./server-socket.ts";
import { createTicker } from "./ticker.ts";

/** What a bridge is doing. */
export interface WebSocketBridgeStats {
  readonly clients: number;
  /** Channels that are listened to, each once for all clients. */
  readonly channels: number;
  /** How many channels all clients together listen to. */
  readonly subscriptions: number;
  /** Clients whose sockets are full. */
  readonly lagging: number;
  /** Subscriptions that read the history to get to where the others are. */
  readonly catchingUp: number;
  /** What waits in all sockets, in bytes as they count it. */
  readonly bufferedBytes: number;
  /** Clients that were closed because they did not drain, since the beginning. */
  readonly tooSlow: number;
  /** Clients that gave no sign of life, since the beginning. */
  readonly dead: number;
}

/** Connects the channels of a PubSub to WebSockets. */
export interface WebSocketBridge<Context> {
  /** How many sockets are connected. */
  readonly clients: number;
  /**
   * Serves a socket from now on; what it asks for, it is told as JSON text frames.
   *
   * @param context - Who it is, for `authorize`.
   */
  accept(socket: ServerSocket, context: Context): void;
  stats(): WebSocketBridgeStats;
  /** Closes every client with 1001, and gives everything back but the PubSub, which is the caller's. Safe to call twice. */
  close(): Promise<void>;
}

/** WebSocket close codes. */
const [goingAway, tryAgainLater] = [1001, 1013];

/** How often clients that lag are looked after, and those that leave. */
const [drainEveryMs, leaveEveryMs] = [50, 500];

/**
 * Lets browsers and others listen to channels through WebSockets: `ws` on Node, `WebSocketPair` in a Worker. Clients resume
 * where they were, are told what they have missed, and one that doesn't read costs no more than `maxBufferedBytes`.
 *
 * In a Worker all sockets of a bridge must belong to the same request or Durable Object: the platform lets no other write to
 * them.
 *
 * @throws TypeError or RangeError when an option can't be; the message quotes it.
 *
 * @example
 * ```ts
 * import { PubSub } from "@continuum-cache/pubsub";
 * import { createWebSocketBridge, type ServerSocket } from "@continuum-cache/pubsub/websocket";
 * import { tcpTransport } from "@continuum-cache/transport-tcp";
 *
 * const pubsub = new PubSub({ transport: tcpTransport({ url: "redis://127.0.0.1:6379" }) });
 * const bridge = createWebSocketBridge<{ userId: string }>(pubsub, {
 *   authorize: (channel, { userId }) => channel === "news" || channel === `user:${userId}`,
 *   replay: (channel) => channel === "news",
 * });
 *
 * // With `ws`: new WebSocketServer({ port: 8080, maxPayload: 16_384 }).on("connection", (socket) => serve(socket, "ada"));
 * export const serve = (socket: ServerSocket, userId: string) => bridge.accept(socket, { userId });
 * ```
 */
export function createWebSocketBridge<Context = unknown>(
  pubsub: BridgePubSub,
  options: WebSocketBridgeOptions<Context>,
): WebSocketBridge<Context> {
  const settings = readBridgeOptions(options);
  const { replay, maxMessageBytes, maxClients, heartbeatMs } = settings;
  const onError = (error: unknown, channel: string): void => tell(() => settings.onError(error, channel));
  const feeds = createChannelFeeds({ pubsub, replay, maxMessageBytes, onError });
  const clients = new Set<BridgeClient>();
  const counts = { tooSlow: 0, dead: 0 };
  let isClosed = false;
  let closing: Promise<void> | undefined;
  let lastGone = (): void => {};

  const lagging = createTicker<BridgeClient>(drainEveryMs, (client) => client.checkDrained());
  const beating = createTicker<BridgeClient>(heartbeatMs ?? 0, (client) => client.checkAlive());
  const leaving = createTicker<BridgeClient>(leaveEveryMs, (client) => client.checkLeft());

  const listener: ClientListener = {
    lags: (client) => lagging.add(client),
    hasDrained: (client) => lagging.delete(client),
    leaves(client) {
      lagging.delete(client);
      beating.delete(client);
      leaving.add(client);
    },
    isGone(client) {
      for (const ticker of [lagging, beating, leaving]) ticker.delete(client);
      clients.delete(client);
      if (clients.size === 0) lastGone();
    },
    tooSlow: () => void counts.tooSlow++,
    dead: () => void counts.dead++,
  };

  return {
    get clients() {
      return clients.size;
    },
    accept(socket, context) {
      socket.accept?.();
      if (isClosed) return socket.close(goingAway, "going away");
      if (clients.size >= maxClients) return socket.close(tryAgainLater, "too many clients");
      const client = createClient({
        socket,
        settings,
        listener,
        channelsOf: (outlet) => createClientChannels({ context, settings, pubsub, feeds, outlet }),
      });
      clients.add(client);
      if (heartbeatMs !== undefined) beating.add(client);
    },
    stats() {
      const all = [...clients];
      const seats = all.flatMap(({ channels }) => [...channels.seats()]);
      return {
        clients: all.length,
        channels: feeds.size,
        subscriptions: all.reduce((sum, { channels }) => sum + channels.size, 0),
        lagging: lagging.size,
        catchingUp: seats.filter(({ isCatchingUp }) => isCatchingUp).length,
        bufferedBytes: all.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0),
        ...counts,
      };
    },
    close() {
      isClosed = true;
      closing ??= (async () => {
        const allGone = new Promise<void>((resolve) => {
          lastGone = resolve;
        });
        if (clients.size === 0) lastGone();
        for (const client of [...clients]) client.leave(goingAway, "going away");
        await allGone;
        await feeds.closed();
      })();
      return closing;
    },
  };
}
