import { callListener } from "@continuum-cache/core/kit";
import { createAddresses } from "./addresses.ts";
import { type BridgePubSub, readBridgeOptions, type WebSocketBridgeOptions } from "./bridge-options.ts";
import { createChannelFeeds } from "./channel-feeds.ts";
import { type BridgeClient, type ClientListener, createClient } from "./client.ts";
import { createClientChannels } from "./client-channels.ts";
import { guardSocket } from "./guarded-socket.ts";
import { createRefusals, type Leaving } from "./refusals.ts";
import type { ServerSocket } from "./server-socket.ts";
import { createTicker } from "./ticker.ts";

/** Figures of a bridge. */
export interface WebSocketBridgeStats {
  readonly clients: number;
  /** Channels with clients. All clients of a channel share one subscription. */
  readonly channels: number;
  /** The subscriptions of all clients together. */
  readonly subscriptions: number;
  /** Clients whose sockets are full. */
  readonly lagging: number;
  /** Subscriptions that read the history to catch up. */
  readonly catchingUp: number;
  /** How much waits in all sockets, in bytes as they count them. */
  readonly bufferedBytes: number;
  /** Clients that were closed since the beginning because they did not drain. */
  readonly tooSlow: number;
  /** Clients that gave no sign of life since the beginning. */
  readonly dead: number;
  /** Sockets that were refused or closed since the beginning because there were too many. */
  readonly refused: number;
}

/** Connects the channels of a PubSub to WebSockets. */
export interface WebSocketBridge<Context> {
  /** How many sockets are connected. */
  readonly clients: number;
  /**
   * Serves a socket from now on. Answers and messages are JSON text frames.
   *
   * @param context - Identifies the client to `authorize` and `addressOf`.
   */
  accept(socket: ServerSocket, context: Context): void;
  /**
   * Ends granted subscriptions, including those that wait for `authorize`: the client gets `forbidden`, and no more
   * messages of the channel. It may ask again, and `authorize` decides: change what `authorize` looks at first.
   *
   * @param isRevoked - Called with each channel and the context of its client.
   * @returns how many were ended.
   *
   * @example
   * ```ts
   * import { PubSub } from "@continuum-cache/pubsub";
   * import { createWebSocketBridge } from "@continuum-cache/pubsub/websocket";
   * import { tcpTransport } from "@continuum-cache/transport-tcp";
   *
   * const members = new Map([["team:7", new Set(["ada", "bob"])]]);
   * const pubsub = new PubSub({ transport: tcpTransport({ url: "redis://127.0.0.1:6379" }) });
   * const bridge = createWebSocketBridge<{ userId: string }>(pubsub, {
   *   authorize: (channel, { userId }) => members.get(channel)?.has(userId) === true,
   * });
   *
   * members.get("team:7")?.delete("bob");
   * bridge.revoke((channel, { userId }) => channel === "team:7" && userId === "bob");
   * ```
   */
  revoke(isRevoked: (channel: string, context: Context) => boolean): number;
  stats(): WebSocketBridgeStats;
  /** Closes every client with 1001. The PubSub stays open, since its owner closes it. Safe to call twice. */
  close(): Promise<void>;
}

/** WebSocket close codes. */
const [goingAway, tryAgainLater] = [1001, 1013];

/** How often lagging clients are checked, and leaving ones. */
const [drainEveryMs, leaveEveryMs] = [50, 500];

const mostAddressLength = 256;

/** The clients of one address together may ask for as much as so many clients. */
const clientsPerAddress = 10;

/**
 * Lets browsers and others listen to channels through WebSockets: `ws` on Node, `WebSocketPair` in a Worker. Clients
 * resume where they were, and get a gap for what they have missed. One that doesn't read costs no more than
 * `maxBufferedBytes`.
 *
 * In a Worker all sockets of a bridge must belong to the same request or Durable Object: the platform lets no other
 * write to them.
 *
 * @throws ConfigError when an option is not valid; the message quotes it.
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
 * // With `ws`, where `server` is a new WebSocketServer({ port: 8080, maxPayload: 16_384 }):
 * // server.on("connection", (socket) => serve(socket, "ada"));
 * export const serve = (socket: ServerSocket, userId: string) => bridge.accept(socket, { userId });
 * ```
 */
export function createWebSocketBridge<Context = unknown>(
  pubsub: BridgePubSub,
  options: WebSocketBridgeOptions<Context>,
): WebSocketBridge<Context> {
  const settings = readBridgeOptions(options);
  const { replay, maxMessageBytes, maxClients, maxClientsPerAddress, heartbeatMs, maxChannels } = settings;
  const onError = (error: unknown, channel: string): void => callListener(() => settings.onError(error, channel));
  const feeds = createChannelFeeds({ pubsub, replay, maxMessageBytes, onError });
  const addresses = createAddresses<BridgeClient>(
    clientsPerAddress * maxChannels,
    clientsPerAddress * settings.maxSubscribesPerSecond,
  );
  /** All clients, including those that are leaving. */
  const clients = new Map<BridgeClient, { readonly context: Context; readonly address: string | undefined }>();
  const counts = { tooSlow: 0, dead: 0, refused: 0 };
  let isClosed = false;
  let closing: Promise<void> | undefined;
  let lastGone = (): void => {};

  const lagging = createTicker<BridgeClient>(drainEveryMs, (client) => client.checkDrained());
  const beating = createTicker<BridgeClient>(heartbeatMs ?? 0, (client) => client.checkAlive());
  const leaving = createTicker<Leaving>(leaveEveryMs, (one) => one.checkLeft());
  const refusals = createRefusals(leaving);

  const listener: ClientListener = {
    lags: (client) => lagging.add(client),
    hasDrained: (client) => lagging.delete(client),
    leaves(client) {
      lagging.delete(client);
      beating.delete(client);
      leaving.add(client);
      addresses.delete(clients.get(client)?.address, client);
    },
    isGone(client) {
      for (const ticker of [lagging, beating, leaving]) ticker.delete(client);
      addresses.delete(clients.get(client)?.address, client);
      clients.delete(client);
      if (clients.size === 0) lastGone();
    },
    tooSlow: () => void counts.tooSlow++,
    dead: () => void counts.dead++,
  };

  const addressOf = (context: Context, socket: ServerSocket): string | undefined => {
    try {
      return settings.addressOf(context, socket)?.slice(0, mostAddressLength);
    } catch (error) {
      onError(error, "");
      return undefined;
    }
  };
  /** Makes room for another client of this address if needed. @returns whether there is room. */
  const makeRoom = (address: string | undefined): boolean => {
    const own = addresses.count(address);
    const connected = clients.size - (leaving.size - refusals.size);
    const isRoom = own < maxClientsPerAddress && connected < maxClients;
    if (isRoom) return true;
    // An address with fewer clients may have as many as the one with the most.
    const other = own < maxClientsPerAddress && address !== undefined ? addresses.mostOf(own + 1) : undefined;
    counts.refused++;
    other?.leave(tryAgainLater, "too many clients");
    return other !== undefined;
  };

  return {
    get clients() {
      return clients.size;
    },
    accept(socket, context) {
      const guarded = guardSocket(socket, (error) => onError(error, ""));
      if (isClosed) return refusals.refuse(guarded, goingAway, "going away");
      const address = addressOf(context, socket);
      if (!makeRoom(address)) return refusals.refuse(guarded, tryAgainLater, "too many clients");
      const maySubscribe = (): boolean => addresses.maySubscribe(address);
      const client = createClient({
        socket: guarded,
        settings,
        listener,
        channelsOf: (outlet) => createClientChannels({ context, settings, pubsub, feeds, outlet, maySubscribe }),
      });
      clients.set(client, { context, address });
      addresses.add(address, client);
      if (heartbeatMs !== undefined) beating.add(client);
      client.start();
    },
    revoke(isRevoked) {
      let revoked = 0;
      for (const [{ channels }, { context }] of [...clients]) {
        revoked += channels.revoke((channel) => isRevoked(channel, context));
      }
      return revoked;
    },
    stats: () => ({ ...sumOf([...clients.keys()]), channels: feeds.size, lagging: lagging.size, ...counts }),
    close() {
      isClosed = true;
      closing ??= (async () => {
        const allGone = new Promise<void>((resolve) => {
          lastGone = resolve;
        });
        if (clients.size === 0) lastGone();
        for (const client of [...clients.keys()]) client.leave(goingAway, "going away");
        await allGone;
        refusals.end();
        await feeds.close();
      })();
      return closing;
    },
  };
}

function sumOf(clients: readonly BridgeClient[]) {
  const subscriptions = clients.flatMap(({ channels }) => [...channels.subscriptions()]);
  return {
    clients: clients.length,
    subscriptions: clients.reduce((sum, { channels }) => sum + channels.size, 0),
    catchingUp: subscriptions.filter(({ isCatchingUp }) => isCatchingUp).length,
    bufferedBytes: clients.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0),
  };
}
