import { guarded, type Transport } from "@continuum-cache/core";
import { functionOption, toTimeoutMs, wholeNumberOption } from "@continuum-cache/core/kit";
import { plainRestTransport } from "@continuum-cache/transport-rest/plain";
import { tcpBackend } from "#tcp-backend";
import { localMemory, withLocalMemory } from "./lazy/local-memory.ts";
import type { Environment, UpstashCacheOptions } from "./settings/cache-options.ts";
import { chooseServer } from "./settings/choose-server.ts";
import { fallbackOf, type RestServer } from "./settings/environment.ts";

/**
 * The transports that options and environment ask for, one on top of the other: the server's, guarded; the memory of
 * this process beside it.
 */
export function stackOf(options: UpstashCacheOptions, env: Environment): Transport {
  const { localMaxBytes, healthCheckInterval = "30s", timeout = "5s", retries = 3 } = options;
  const { journal, warmStart, closeTimeout, waitUntil } = options;
  if (localMaxBytes !== undefined) wholeNumberOption("localMaxBytes", localMaxBytes);
  functionOption("waitUntil", waitUntil);
  functionOption("warn", options.warn);
  toTimeoutMs(healthCheckInterval, "healthCheckInterval");
  const server = chooseServer(options, env);
  const fallback = fallbackOf(options.fallback, env);
  const size = localMaxBytes === undefined ? {} : { maxBytes: localMaxBytes };
  if (server.kind === "local") {
    if (server.reason === "nothing-set") (options.warn ?? console.warn)(localWarning);
    return localMemory(size);
  }
  const backend = server.kind === "redis" ? tcpBackend({ server, options, env, timeout }) : restBackend(server);
  if (!fallback) return guarded(backend, { timeout, retries, breaker: { maxWait: healthCheckInterval } });
  // The fallback has a breaker of its own.
  return withLocalMemory(guarded(backend, { timeout, retries, breaker: false }), size, {
    healthCheckInterval,
    ...(journal && { journal }),
    ...(warmStart && { warmStart }),
    ...(closeTimeout !== undefined && { closeTimeout }),
    ...(waitUntil && { waitUntil }),
  });
}

const restBackend = ({ url, token, allowInsecure }: RestServer): Transport =>
  plainRestTransport({ url, token, allowInsecure });

const localWarning =
  "continuum-cache: no server is configured, so this cache lives in the memory of this process alone. " +
  "Set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN (or UPSTASH_REDIS_URL), " +
  "or CONTINUUM_CACHE_MODE=local to say that this is meant.";
