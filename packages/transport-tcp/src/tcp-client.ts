import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { ConfigError } from "@continuum-cache/core";
import { conceal } from "@continuum-cache/core/kit";
import type { Redis } from "ioredis";

/** The part of an ioredis client, version 5 or 6, that the transport uses. */
export interface TcpClient extends Pick<EventEmitter, "on" | "off"> {
  readonly status: string;
  readonly stream: Socket;
  connect(): Promise<void>;
  duplicate(override: object): object;
  sendCommand(command: object): unknown;
}

/**
 * The options and the state of an ioredis client that decide whether a transport can share it. Any of them may be
 * absent.
 */
interface ClientFacts {
  readonly isCluster?: unknown;
  readonly nodes?: unknown;
  readonly isPipeline?: unknown;
  readonly status?: unknown;
  readonly mode?: unknown;
  readonly options?: {
    readonly keyPrefix?: unknown;
    readonly monitor?: unknown;
    readonly protocol?: unknown;
    readonly readOnly?: unknown;
    readonly replyMapping?: unknown;
    readonly retryStrategy?: unknown;
    readonly role?: unknown;
    readonly stringNumbers?: unknown;
  };
}

const methods = ["connect", "duplicate", "off", "on", "sendCommand"] as const;

/** Clients that the transport cannot use, and what to give instead. The error names the first that applies. */
const faults: readonly (readonly [applies: (client: ClientFacts) => boolean, text: string])[] = [
  [
    (client) => client.isCluster === true || typeof client.nodes === "function",
    "a client of one server, got a Cluster: its commands go to different nodes, so that neither transactions " +
      "nor the order of commands hold. Redis Cluster is not supported",
  ],
  [({ isPipeline }) => isPipeline === true, "a client, got a pipeline: give the client that it was made from"],
  [
    (client) =>
      typeof client.status !== "string" || methods.some((name) => typeof Reflect.get(client, name) !== "function"),
    "a client of ioredis, such as new Redis(url), got another object",
  ],
  [
    ({ mode, options, status }) => mode === "monitor" || options?.monitor === true || status === "monitoring",
    "a client that takes commands, got a monitor: give the client that it was made from",
  ],
  [
    ({ mode }) => mode === "subscriber",
    "a client that takes commands, got one that listens to channels: give the transport a client of its own, " +
      "such as client.duplicate()",
  ],
  [
    ({ options }) => hasLength(options?.keyPrefix),
    "a client without `keyPrefix`, which would not apply: remove it there, and give it to the Cache as its `keyPrefix`",
  ],
  [
    ({ options }) => options?.stringNumbers === true,
    "a client without `stringNumbers`, which turns numbers in replies into texts: remove it, or give another client",
  ],
  [
    ({ options }) => options?.replyMapping === "resp3" && options.protocol === 3,
    'a client with `replyMapping: "legacy"` (the default), got "resp3", which gives replies other shapes',
  ],
  [
    ({ options }) => options?.readOnly === true || options?.role === "slave",
    'a client of a primary, got one that reads from replicas (`readOnly`, or `role: "slave"`), which refuse writes',
  ],
];

/**
 * Checks a client that the caller has made. It tells by what the client can do, so that it works for every version and
 * copy of ioredis.
 *
 * @throws ConfigError when the transport could not keep its promises on it.
 */
export function assertGivenClient(client: unknown): void {
  if (typeof client !== "object" || client === null) {
    const got = client === null ? "null" : `a ${typeof client}`;
    throw new ConfigError(
      "client",
      `Expected \`client\` to be a client of ioredis, such as new Redis(url), got ${got}`,
    );
  }
  const fault = faults.find(([applies]) => applies(client));
  if (fault) throw new ConfigError("client", `Expected \`client\` to be ${fault[1]}`);
}

/** Whether a client would connect again by itself if its socket ended now: its `retryStrategy` is asked. */
export function connectsAgain({ options }: ClientFacts): boolean {
  const strategy = options?.retryStrategy;
  return typeof strategy === "function" && typeof strategy(1) === "number";
}

const hasLength = (text: unknown): boolean =>
  typeof text === "string" || text instanceof Uint8Array ? text.length > 0 : false;

/** What of an ioredis client holds the password, the TLS key, or commands that wait with their arguments. */
const secret = [
  "options",
  "condition",
  "prevCondition",
  "connector",
  "stream",
  "commandQueue",
  "offlineQueue",
  "prevCommandQueue",
];

/** Keeps a client of ours from showing the password to who prints or walks it, or the transport that has it. */
export function concealClient(client: Redis): Redis {
  for (const name of secret) {
    // Those that ioredis sets later keep this.
    const value: unknown = Reflect.get(client, name);
    Object.defineProperty(client, name, { value, writable: true, configurable: true, enumerable: false });
  }
  return conceal(client);
}
