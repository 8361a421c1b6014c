import { errorFromRedis, isTransportError, TransportError, type TransportErrorDetails } from "@continuum-cache/core";

/** The transport's name, in errors and events. */
export const transportName = "tcp";

/** What the messages say about the server. */
export interface Place {
  /** `host:port`. */
  readonly where: string;
  readonly secure: boolean;
}

type Delivery = NonNullable<TransportErrorDetails["delivery"]>;

/** The transport was closed before, or while, the call was made. */
export function closedError(delivery: Delivery): TransportError {
  return new TransportError("closed", "The transport was closed", { transport: transportName, delivery });
}

/** A refusal by the server, and not a failure of the connection. */
export function isRefusal(error: Error): boolean {
  return error.name === "ReplyError";
}

/**
 * Sorts what ioredis, the socket or TLS says into our error, with its mend. Foreign errors are not handed on as they
 * are: ioredis hangs the command with all its arguments, passwords among them, onto them.
 */
export function connectionError(error: Error | undefined, place: Place, delivery: Delivery): TransportError {
  if (isTransportError(error)) return error;
  if (error && isRefusal(error)) return handshakeError(error, delivery);
  const code = codeOf(error);
  const cause = code === "" ? undefined : new Error(`${code} at ${place.where}`);
  return new TransportError("unreachable", describe(code, place), { transport: transportName, delivery, cause });
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

function describe(code: string, { where, secure }: Place): string {
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
  const mend = secure ? "it may be restarting" : "if this happens at once, TLS may be missing: use rediss://";
  return `The connection to ${where} broke${detail}: ${mend}`;
}
