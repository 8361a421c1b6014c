import type { Codec } from "@continuum-cache/core";
import type { KnownOptions, NearCache } from "@continuum-cache/core/kit";
import type { UpstashCacheOptions } from "./cache-options.ts";

/** The options of `UpstashCache` that hold where REST is the only backend. Their meaning and defaults are the same. */
export interface RestCacheOptions
  extends Pick<
    UpstashCacheOptions,
    | "global"
    | "restUrl"
    | "restToken"
    | "allowInsecure"
    | "healthCheckInterval"
    | "keyPrefix"
    | "defaultTtl"
    | "maxValueBytes"
    | "timeout"
    | "retries"
    | "env"
  > {
  /** Both mean REST. @default CONTINUUM_CACHE_MODE, else "auto" */
  readonly mode?: "auto" | "rest";
  /** There is no fallback here. @default false */
  readonly fallback?: false;
  /** How values are written; a codec of your own, such as `msgpack()`, reads JSON too. @default "json" */
  readonly codec?: "json" | Codec;
  /** Keeps values in this process: `nearCache()` of `@continuum-cache/near-cache`. @default none */
  readonly near?: NearCache;
}

export const knownRestOptions: KnownOptions<RestCacheOptions> = {
  mode: true,
  global: true,
  restUrl: true,
  restToken: true,
  allowInsecure: true,
  fallback: true,
  healthCheckInterval: true,
  codec: true,
  keyPrefix: true,
  defaultTtl: true,
  maxValueBytes: true,
  timeout: true,
  retries: true,
  env: true,
  near: true,
};
