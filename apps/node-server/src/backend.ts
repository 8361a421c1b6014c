import type { PrimarySwitch } from "@continuum-cache/program";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { type Environment, UpstashCache } from "continuum-cache";

/** The cache, and what stands behind it. */
export interface OpenedBackend {
  readonly cache: UpstashCache;
  /** The server, for people: never with a token or password. `undefined` where there is none. */
  readonly server: string | undefined;
  /** Where the server was started here. */
  readonly primary?: PrimarySwitch;
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
  return { cache, server: serverNamedBy(env, mode), close: () => cache.close() };
}

async function openEmbedded(env: Environment): Promise<OpenedBackend> {
  const local = await startUpstashLocal({ port: 0, token: crypto.randomUUID() });
  const cache = new UpstashCache({ mode: "rest", restUrl: local.url, restToken: local.token, env });
  return {
    cache,
    server: `upstash-local's embedded engine, over REST at ${local.url}`,
    primary: switchOf(local),
    async close() {
      try {
        await cache.close();
      } finally {
        await local.close();
      }
    },
  };
}

/** Its values stay, as those of a server do that can't be reached. */
function switchOf(local: UpstashLocal): PrimarySwitch {
  let isCut = false;
  const set = (cut: boolean): void => {
    isCut = cut;
    local.fault(cut ? "refuse" : undefined);
  };
  return {
    get isCut() {
      return isCut;
    },
    cut: () => set(true),
    restore: () => set(false),
  };
}

function serverNamedBy(env: Environment, mode: unknown): string | undefined {
  if (mode === "local") return undefined;
  const hostOf = (names: readonly string[]): string | undefined => {
    const url = names.map((name) => env[name]).find(Boolean);
    return url === undefined ? undefined : new URL(String(url)).host;
  };
  const rest = mode === "redis" ? undefined : hostOf(addresses.rest);
  return rest === undefined ? `Redis at ${hostOf(addresses.redis)}` : `Upstash REST at ${rest}`;
}
