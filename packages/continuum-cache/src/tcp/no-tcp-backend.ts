import { ConfigError, type Transport } from "@continuum-cache/core";
import type { TcpBackend } from "./tcp-backend.ts";

/**
 * Stands for the Redis protocol in bundles for the edge, so that neither ioredis nor a Node built-in gets into them.
 */
export function tcpBackend(_backend: TcpBackend): Transport {
  throw new ConfigError(
    "url",
    "The Redis protocol needs Node: on this runtime use REST (UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN)",
  );
}
