import { ConfigError, type Duration, type Transport } from "@continuum-cache/core";
import { loadedOnce } from "@continuum-cache/core/kit";
import type { TcpOptions } from "@continuum-cache/transport-tcp";
import { lazyTransport } from "../lazy/lazy-transport.ts";
import type { Environment, TlsSettings } from "../settings/cache-options.ts";
import type { RedisServer } from "../settings/choose-server.ts";
import type { ServerOptions } from "../settings/environment.ts";
import { redisSettings } from "../settings/redis-settings.ts";

/** A server, and what its settings are read from. */
export interface TcpBackend {
  readonly server: RedisServer;
  readonly options: ServerOptions;
  readonly env: Environment;
  readonly timeout: Duration;
}

/**
 * The Redis protocol's transport, loaded at its first use: ioredis alone takes 50 ms to import.
 *
 * @throws ConfigError when a setting can't be, or the file with certificates can't be read or holds none.
 */
export function tcpBackend({ server, options, env, timeout }: TcpBackend): Transport {
  const { url, poolSize, allowInsecure, tls, caFile } = redisSettings(server, options, env);
  const ca = caFile === undefined ? undefined : readCertificates(caFile);
  const settings: TcpOptions = {
    url,
    poolSize,
    allowInsecure,
    timeout,
    ...((tls || ca !== undefined) && { tls: { ...forNode(tls), ...(ca !== undefined && { ca }) } }),
  };
  const load = loadedOnce(
    () => import("@continuum-cache/transport-tcp"),
    ({ tcpTransport }) => tcpTransport(settings),
  );
  return lazyTransport({ name: "tcp", hasCheapTrips: true }, load);
}

/** Node wants Buffers, and lists that it may change. */
function forNode({ ca, cert, key, ...rest }: TlsSettings = {}): NonNullable<TcpOptions["tls"]> {
  const list = ca === undefined ? undefined : ((Array.isArray(ca) ? ca : [ca]) as (string | Uint8Array)[]);
  return {
    ...rest,
    ...(list && { ca: list.map(asBuffer) }),
    ...(cert !== undefined && { cert: asBuffer(cert) }),
    ...(key !== undefined && { key: asBuffer(key) }),
  };
}

const asBuffer = (pem: string | Uint8Array): string | Buffer => (typeof pem === "string" ? pem : Buffer.from(pem));

function readCertificates(path: string): string {
  const setting = "CONTINUUM_CACHE_CA_FILE";
  let text: string;
  try {
    // An import of "node:fs" would load all that it has, streams too, though hardly any cache names a file.
    text = process.getBuiltinModule("node:fs").readFileSync(path, "utf8");
  } catch (cause) {
    const { code = "unreadable" } = cause as NodeJS.ErrnoException;
    throw new ConfigError(setting, `The file that ${setting} names can't be read (${code}): ${path}`, { cause });
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ConfigError(
    setting,
    `Expected the file that ${setting} names to hold certificates in PEM, got none: ${path}`,
  );
}
