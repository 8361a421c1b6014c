import { Cache, type Codec, ConfigError, guarded, json, type Transport } from "@continuum-cache/core";
import { assertOptions, toTimeoutMs } from "@continuum-cache/core/kit";
import { sendOnlyRestTransport } from "@continuum-cache/transport-rest/plain";
import type { Environment } from "../settings/cache-options.ts";
import { chooseRestServer, fallbackOf, processEnvironment } from "../settings/environment.ts";
import { knownRestOptions, type RestCacheOptions } from "../settings/rest-options.ts";

/**
 * `UpstashCache` with REST as its only backend: no Redis protocol, no fallback, no MessagePack, no compression and no
 * pub/sub, so that none of their code is loaded or bundled. It reads the same environment. For Workers and other
 * places where each kilobyte counts.
 *
 * A value of another codec is a miss, with an `error` event. It publishes, but has no subscriptions.
 *
 * @throws ConfigError that names the option or variable to fix; also when the environment asks for a fallback or
 * another mode.
 *
 * @example
 * ```ts
 * import { UpstashCache } from "continuum-cache/rest";
 *
 * const cache = new UpstashCache({ restUrl: "https://my-database.upstash.io", restToken: "…" });
 * ```
 */
export class UpstashCache extends Cache {
  constructor(options: RestCacheOptions = {}) {
    assertOptions("new UpstashCache", options, knownRestOptions);
    const { codec, keyPrefix, defaultTtl, maxValueBytes, timeout, near, env = processEnvironment() } = options;
    super({
      transport: backendOf(options, env),
      codec: codecOf(codec),
      ...(keyPrefix !== undefined && { keyPrefix }),
      ...(defaultTtl !== undefined && { defaultTtl }),
      ...(maxValueBytes !== undefined && { maxValueBytes }),
      ...(timeout !== undefined && { timeout }),
      ...(near && { near }),
    });
  }
}

function backendOf(options: RestCacheOptions, env: Environment): Transport {
  const { timeout = "5s", retries = 3, healthCheckInterval = "30s" } = options;
  toTimeoutMs(healthCheckInterval, "healthCheckInterval");
  const { url, token, allowInsecure } = chooseRestServer(options, env);
  if (fallbackOf(options.fallback, env, false)) {
    const setting = options.fallback === undefined ? "CONTINUUM_CACHE_FALLBACK" : "fallback";
    throw new ConfigError(
      setting,
      `${setting} is true, and the UpstashCache of "continuum-cache/rest" has no fallback: ` +
        'import it from "continuum-cache"',
    );
  }
  return guarded(sendOnlyRestTransport({ url, token, allowInsecure }), {
    timeout,
    retries,
    breaker: { maxWait: healthCheckInterval },
  });
}

function codecOf(codec: "json" | Codec = "json"): Codec {
  if (codec === "json") return json();
  if (typeof codec?.encode === "function" && typeof codec.decode === "function") return codec;
  throw new ConfigError(
    "codec",
    'Expected `codec` to be "json" or a Codec such as msgpack() of "@continuum-cache/core/msgpack", ' +
      `got ${JSON.stringify(codec)}`,
  );
}
