import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { type Environment, UpstashCache } from "continuum-cache";

/** The cache, and where it lives. */
export interface OpenedBackend {
  readonly cache: UpstashCache;
  /** Where values are kept, for people: never with a token or password. */
  readonly place: string;
  /** Closes the cache, and the server where it was started here. */
  close(): Promise<void>;
}

const addresses = {
  rest: ["UPSTASH_REDIS_REST_URL", "KV_REST_API_URL"],
  redis: ["UPSTASH_REDIS_URL"],
} as const;
const serverVariables = [...addresses.rest, ...addresses.redis, "UPSTASH_REDIS_REST_TOKEN", "KV_REST_API_TOKEN"];

/**
 * Opens the cache that the environment names; where it names none, a local Upstash inside this process, so that values
 * travel the same way as to the real one.
 *
 * @throws ConfigError when the environment contradicts itself.
 */
export async function openBackend(env: Environment): Promise<OpenedBackend> {
  const mode = env["CONTINUUM_CACHE_MODE"] || "auto";
  const detecting = mode === "auto" || mode === "upstash";
  const named = !detecting || serverVariables.some((name) => env[name]);
  if (!named) return openEmbedded(env);
  const cache = new UpstashCache({ env });
  return { cache, place: placeNamedBy(env, mode), close: () => cache.close() };
}

async function openEmbedded(env: Environment): Promise<OpenedBackend> {
  const server = await startUpstashLocal({ port: 0, token: crypto.randomUUID() });
  const cache = new UpstashCache({ mode: "rest", restUrl: server.url, restToken: server.token, env });
  return {
    cache,
    place: `upstash-local's embedded engine, over REST at ${server.url}`,
    async close() {
      await cache.close();
      await server.close();
    },
  };
}

function placeNamedBy(env: Environment, mode: unknown): string {
  if (mode === "local") return "the memory of this process (CONTINUUM_CACHE_MODE=local)";
  const hostOf = (names: readonly string[]): string | undefined => {
    const url = names.map((name) => env[name]).find(Boolean);
    return url === undefined ? undefined : new URL(String(url)).host;
  };
  const rest = mode === "redis" ? undefined : hostOf(addresses.rest);
  return rest === undefined ? `Redis at ${hostOf(addresses.redis)}` : `Upstash REST at ${rest}`;
}
