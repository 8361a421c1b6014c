import type { Codec, Duration, TimeToLive } from "@continuum-cache/core";
import type { KnownOptions, NearCache } from "@continuum-cache/core/kit";
import type { JournalOptions } from "@continuum-cache/fallback-memory";
import type { NearCacheOptions } from "@continuum-cache/near-cache";
import { knownRestOptions } from "./rest-options.ts";

/** Where variables are read from: `process.env`, or the `env` that a Worker is given. */
export type Environment = Readonly<Record<string, unknown>>;

/** How a connection to `rediss://` is encrypted. Everything is PEM, as text or as the bytes of a file. */
export interface TlsSettings {
  /** The authorities to trust, in the place of those that Node trusts. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** The certificate of this client, for servers that ask for one. */
  readonly cert?: string | Uint8Array;
  /** Its private key. */
  readonly key?: string | Uint8Array;
  /** What decrypts `key`. */
  readonly passphrase?: string;
  /** The name in the server's certificate, when it is not the host's. @default the host in `url` */
  readonly servername?: string;
  /** `false` accepts any certificate: the connection is encrypted then, and its other end unknown. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** How an `UpstashCache` is set up. Whatever is left out is read from the environment, then takes its default. */
export interface UpstashCacheOptions {
  /**
   * Which backend: `auto` takes REST when its URL and token are there, else Redis when its URL is, else `local`.
   *
   * @default "auto"
   */
  readonly mode?: "auto" | "rest" | "redis" | "local";
  /** Takes the global database's variables (`UPSTASH_REDIS_GLOBAL_REST_URL` and `…_TOKEN`). @default false */
  readonly global?: boolean;
  /** Address of the REST API. @default UPSTASH_REDIS_REST_URL, else KV_REST_API_URL */
  readonly restUrl?: string;
  /**
   * Token of the REST API, or a function that returns the current one.
   *
   * @default UPSTASH_REDIS_REST_TOKEN, else KV_REST_API_TOKEN
   */
  readonly restToken?: string | (() => string | Promise<string>);
  /** Address for the Redis protocol: `rediss://…`, `redis://…` or `unix:///…`. @default UPSTASH_REDIS_URL */
  readonly url?: string;
  /**
   * TLS settings for `rediss://`, such as the certificate of a private authority. `ca` wins over the file that
   * CONTINUUM_CACHE_CA_FILE names. @default what Node trusts
   */
  readonly tls?: TlsSettings;
  /** The most connections that the Redis protocol may open. @default UPSTASH_POOL_SIZE, else 10 */
  readonly poolSize?: number;
  /**
   * Allows unencrypted connections to other machines: for a private network.
   *
   * @default CONTINUUM_CACHE_ALLOW_INSECURE, else false
   */
  readonly allowInsecure?: boolean;
  /** Answers from the memory of this process while the primary is away. @default CONTINUUM_CACHE_FALLBACK, else true */
  readonly fallback?: boolean;
  /** The longest time between two PINGs to an absent primary; shorter at first. @default "30s" */
  readonly healthCheckInterval?: Duration;
  /**
   * Bounds of the changes that an absent primary does not know, and where they are kept across restarts.
   *
   * @default 96 MiB, in memory
   */
  readonly journal?: JournalOptions;
  /**
   * Serves last seen values of the primary while it is away; `maxAge` bounds their age.
   *
   * @default none
   */
  readonly warmStart?: { readonly maxAge: Duration };
  /** How long `close()` may take to replay the journal to an absent primary. @default "2s" */
  readonly closeTimeout?: Duration;
  /** The most that the memory of this process may hold, in bytes. @default 64 MiB */
  readonly localMaxBytes?: number;
  /**
   * Keeps a Worker at work after its response until an absent primary is back: `waitUntil` of `cloudflare:workers`.
   *
   * @default none
   */
  readonly waitUntil?: (work: Promise<unknown>) => void;
  /** How values are written; whatever wrote them, they are read. @default "json" */
  readonly codec?: "json" | "msgpack" | Codec;
  /** Put before every key. @default "" */
  readonly keyPrefix?: string;
  /** How long values live when neither the call nor the pattern that made the key says. @default "5m" */
  readonly defaultTtl?: TimeToLive;
  /** Larger values are not stored, in bytes. @default 102_400 */
  readonly maxValueBytes?: number;
  /** How long a call may take. @default "5s" */
  readonly timeout?: Duration;
  /**
   * Keeps values that were read in this process: `true`, the options of a near cache, or one made by `nearCache()`.
   * Its code is loaded at the first call. All processes that write the same keys need it.
   *
   * @default false
   */
  readonly near?: boolean | NearCacheOptions | NearCache;
  /** How many more attempts an unreachable server gets, when a repetition is harmless. @default 3 */
  readonly retries?: number;
  /** Where to read variables from. @default process.env */
  readonly env?: Environment;
  /** Where the one warning goes that a cache without a server is local. @default console.warn */
  readonly warn?: (message: string) => void;
}

export const knownOptions: KnownOptions<UpstashCacheOptions> = {
  ...knownRestOptions,
  url: true,
  tls: true,
  poolSize: true,
  journal: true,
  warmStart: true,
  closeTimeout: true,
  localMaxBytes: true,
  waitUntil: true,
  warn: true,
};
