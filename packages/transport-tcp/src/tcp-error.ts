import {
  isTransportError,
  TransportError,
  type TransportErrorDetails,
  type TransportErrorKind,
} from "@continuum-cache/core";
import { errorFromRedis } from "@continuum-cache/core/kit";

/** The transport's name, in errors and events. */
export const transportName = "tcp";

/** What the messages say about the server. */
export interface ServerAddress {
  /** `host:port`. */
  readonly where: string;
  readonly secure: boolean;
}

type Delivery = NonNullable<TransportErrorDetails["delivery"]>;

/** No answer has come by the call's deadline. */
export function timeoutError(timeoutMs: number, written: boolean, { where, secure }: ServerAddress): TransportError {
  const hint = secure ? "; if it is a server without TLS, use redis://" : "";
  const text = written
    ? "raise `timeout`, or look at the server and the network"
    : `the connection to ${where} did not come about${hint}`;
  return new TransportError("timeout", `No answer within ${timeoutMs} ms (${text})`, {
    transport: transportName,
    delivery: written ? "unknown" : "none",
  });
}

/** Earlier calls for its keys took all of its time. It says nothing about the server: the errors of those calls do. */
export function queuedError(timeoutMs: number): TransportError {
  return new TransportError(
    "timeout",
    `The call's turn did not come within ${timeoutMs} ms: earlier calls for its keys are under way still (raise ` +
      "`timeout`)",
    { transport: transportName, delivery: "none", queued: true },
  );
}

/** A refusal by the server, and not a failure of the connection. */
export function isRefusal(error: Error): boolean {
  return error.name === "ReplyError";
}

/**
 * Converts an error of ioredis, the socket or TLS to a TransportError with advice. The original error is not passed on:
 * ioredis attaches the command with all its arguments, passwords among them, to it.
 */
export function connectionError(error: Error | undefined, server: ServerAddress, delivery: Delivery): TransportError {
  if (isTransportError(error)) return error;
  if (error && isRefusal(error)) return handshakeError(error, delivery);
  const code = codeOf(error);
  const cause = code === "" ? undefined : new Error(`${code} at ${server.where}`);
  return new TransportError("unreachable", describe(code, server), { transport: transportName, delivery, cause });
}

/** What has come cannot be a reply of Redis: the connection is out of step, or something else answers there. */
export function impossibleError(
  kind: "protocol" | "unreachable",
  problem: string,
  { where }: ServerAddress,
): TransportError {
  const text = `The connection to ${where} was closed, since it brought ${problem}`;
  return new TransportError(kind, `${text} (if it happens again, look at what stands between client and server)`, {
    transport: transportName,
    delivery: "unknown",
  });
}

/** The name leads to another server now, which the subscription's connection knows nothing of. */
export function failoverError({ where }: ServerAddress): TransportError {
  const text = `${where} leads to another server after a failover, so that the subscription must be made again`;
  return new TransportError("unreachable", text, { transport: transportName, delivery: "unknown" });
}

/** Why ioredis took no command, or gave up one, by its text. */
const clientRefusals: readonly (readonly [
  start: string,
  kind: TransportErrorKind,
  delivery: Delivery,
  text: string,
])[] = [
  [
    "Connection in subscriber mode",
    "protocol",
    "none",
    "The client listens to channels, and takes no commands meanwhile: give the transport a client of its own, " +
      "such as client.duplicate()",
  ],
  [
    "Connection is in monitoring mode",
    "protocol",
    "none",
    "The client is a monitor, which takes no commands: give the transport a client of its own",
  ],
  ["Command timed out", "timeout", "unknown", "No answer within the `commandTimeout` of the given client"],
];

/** What a client says by itself, whatever the server does; undefined for other errors. */
export function clientError(error: Error): TransportError | undefined {
  const refusal = clientRefusals.find(([start]) => error.message.startsWith(start));
  if (!refusal) return undefined;
  const [, kind, delivery, text] = refusal;
  return new TransportError(kind, text, { transport: transportName, delivery });
}

/** The server did not let us in: a wrong password, a missing database, or it isn't ready. */
function handshakeError(refusal: Error, delivery: Delivery): TransportError {
  const sorted = errorFromRedis(refusal.message, transportName);
  if (!isTransportError(sorted)) {
    return new TransportError(
      "protocol",
      `The server refused the connection: ${refusal.message} (check user, password and database number in \`url\`)`,
      { transport: transportName, delivery },
    );
  }
  const details = { transport: transportName, delivery };
  return new TransportError(sorted.kind, sorted.message, details);
}

function codeOf(error: Error | undefined): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && /^[A-Z0-9_]+$/.test(code) ? code : "";
}

function describe(code: string, { where, secure }: ServerAddress): string {
  if (code === "ECONNREFUSED")
    return `Nothing listens at ${where} (${code}): start the server, or check host and port in \`url\``;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return `The host of ${where} was not found (${code}): check \`url\` and the name server`;
  if (code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return `${where} did not answer (${code}): check the network, a firewall, or the IP allowlist`;
  }
  if (code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return `${where} does not speak TLS (${code}): use redis:// if it is a local server`;
  }
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) {
    return `The certificate of ${where} was not accepted (${code}): give its authority as \`tls: { ca }\``;
  }
  const detail = code === "" ? "" : ` (${code})`;
  const advice = secure ? "it may be restarting" : "if this happens at once, TLS may be missing: use rediss://";
  return `The connection to ${where} broke${detail}: ${advice}`;
}
