import type { MessageListener, Subscription, Topics, Transport } from "@continuum-cache/core";
import { closedError, conceal, registerDispatch, sendThrough } from "@continuum-cache/core/kit";
import { Redis } from "ioredis";
import { Connection } from "./connection/connection.ts";
import { createConnectionPool } from "./connection/connection-pool.ts";
import { createFailoverReconnect } from "./connection/failover-reconnect.ts";
import { createIdleLimit } from "./connection/idle-check.ts";
import { createOpenSubscriptions } from "./subscriptions/open-subscriptions.ts";
import { subscribe } from "./subscriptions/tcp-subscriber.ts";
import { concealClient, connectsAgain, type TcpClient } from "./tcp-client.ts";
import { failoverError, transportName } from "./tcp-error.ts";
import { readTcpOptions, type TcpOptions } from "./tcp-options.ts";

/** A transport over the Redis protocol, and the ioredis client of its first connection. */
export interface TcpTransport<Client extends TcpClient = Redis> extends Transport {
  /**
   * For whatever the transport doesn't wrap. It connects on first use, and closes with the transport unless it is
   * yours.
   */
  readonly client: Client;
  subscribe(...args: Parameters<NonNullable<Transport["subscribe"]>>): Promise<Subscription>;
}

/** Resilience is written once, above the transport: ioredis itself neither retries nor resends nor asks for more. */
const quiet = {
  lazyConnect: true,
  protocol: 2,
  replyMapping: "legacy",
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  reconnectOnError: null,
  enableReadyCheck: false,
  disableClientInfo: true,
  enableAutoPipelining: false,
} as const;

/**
 * Makes a transport over the Redis protocol, `redis://` or `rediss://`, on ioredis. It connects on first use.
 *
 * @throws ConfigError when an option is wrong.
 *
 * @example
 * ```ts
 * import { tcpTransport } from "@continuum-cache/transport-tcp";
 *
 * const transport = tcpTransport({ url: "redis://127.0.0.1:6379" });
 * const [, value] = await transport.send([["SET", "greeting", "hello", "EX", 60], ["GET", "greeting"]]);
 * console.log(value); // "hello"
 * await transport.close();
 * ```
 */
export function tcpTransport<Client extends TcpClient = Redis>(options: TcpOptions<Client>): TcpTransport<Client> {
  const { poolSize, timeoutMs: ownTimeoutMs, server, where, secure } = readTcpOptions(options);
  const address = { where, secure };
  const idle = createIdleLimit();
  const subscriptions = createOpenSubscriptions(ownTimeoutMs);
  const reconnect = createFailoverReconnect({
    reconnect: () => pool.renew(),
    // They were made before the failover was over, and may listen to a server that hears nothing more.
    onRecovered: () => subscriptions.interruptAll(failoverError(address)),
  });
  let closed = false;

  const makeClient = (): Redis => concealClient(new Redis({ ...server, ...quiet, connectTimeout: ownTimeoutMs }));
  const connect = (client: TcpClient, reconnects: () => boolean, disconnect?: () => void): Connection =>
    new Connection({ ...address, client, disconnect, reconnects, connectTimeoutMs: ownTimeoutMs, idle, reconnect });
  const connectOwn = (client: Redis): Connection =>
    connect(
      client,
      () => true,
      () => client.disconnect(),
    );

  const own = options.client ? undefined : makeClient();
  const client = (options.client ?? own) as Client;
  const first = own ? connectOwn(own) : connect(client, () => connectsAgain(client));
  const pool = createConnectionPool(first, { server: address, size: poolSize, open: () => connectOwn(makeClient()) });

  const transport: TcpTransport<Client> = {
    name: transportName,
    hasCheapTrips: true,
    client,
    send: sendThrough(pool.dispatch, ownTimeoutMs),
    async subscribe(topics: Topics, listener: MessageListener, callOptions) {
      if (closed) throw closedError(transportName, "transport");
      return subscriptions.add(listener, (onInterrupted) =>
        subscribe({
          ...address,
          topics,
          listener,
          onInterrupted,
          options: { timeoutMs: ownTimeoutMs, ...callOptions },
          makeClient: () => (own ? makeClient() : concealClient(client.duplicate({ ...quiet }) as Redis)),
        }),
      );
    },
    async close() {
      closed = true;
      await Promise.all([pool.close(), subscriptions.closeAll()]);
    },
  };
  return registerDispatch(conceal(transport, "client"), pool.dispatch);
}
