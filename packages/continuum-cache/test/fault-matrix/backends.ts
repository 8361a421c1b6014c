import { Cache, type Duration, guarded } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { UpstashCache } from "continuum-cache";

/** What the caches of the matrix differ in. */
export interface CacheSettings {
  readonly fallback: boolean;
  readonly timeout: Duration;
}

/** One way to a server. */
export interface Backend {
  readonly name: "REST" | "TCP" | "TCP+TLS";
  readonly tls: boolean;
  makeCache(url: string, ca: string | undefined, settings: CacheSettings): Cache;
}

const healthCheckInterval: Duration = "100ms";

export const rest: Backend = {
  name: "REST",
  tls: false,
  makeCache: (url, _ca, settings) =>
    new UpstashCache({
      ...settings,
      healthCheckInterval,
      env: { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: "local" },
    }),
};

export const tcp: Backend = {
  name: "TCP",
  tls: false,
  makeCache: (url, _ca, settings) =>
    new UpstashCache({ ...settings, healthCheckInterval, env: { UPSTASH_REDIS_URL: url } }),
};

/** Composed by hand, as `UpstashCache` does it: certificates of one's own are an option of the transport. */
export const tls: Backend = {
  name: "TCP+TLS",
  tls: true,
  makeCache(url, ca, { fallback, timeout }) {
    const server = tcpTransport({ url, timeout, ...(ca !== undefined && { tls: { ca } }) });
    const transport = fallback
      ? withFallback(guarded(server, { timeout, breaker: false }), memoryTransport(), { healthCheckInterval })
      : guarded(server, { timeout, breaker: { maxWait: healthCheckInterval } });
    return new Cache({ transport, timeout });
  },
};
