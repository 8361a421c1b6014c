import type { PrimarySwitch } from "@continuum-cache/program";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { type Environment, UpstashCache } from "continuum-cache";
import { isLoopback, loopback } from "./listen.ts";

/** The cache and its server. */
export interface OpenedBackend {
  readonly cache: UpstashCache;
  /** The name of the server that visitors may see: without its address. `undefined` when there is none. */
  readonly server: string | undefined;
  /** The same with its address, for the log; never with a token or password. */
  readonly serverAddress: string | undefined;
  /** Present when this process started the server and only this machine can reach the demo. */
  readonly primary?: PrimarySwitch;
  /** Closes the cache, and the server when this process started it. */
  close(): Promise<void>;
}

const addresses = {
  rest: ["UPSTASH_REDIS_REST_URL", "KV_REST_API_URL"],
  redis: ["UPSTASH_REDIS_URL"],
} as const;
const serverVariables = [...addresses.rest, ...addresses.redis, "UPSTASH_REDIS_REST_TOKEN", "KV_REST_API_TOKEN"];

/**
 * Opens the cache that the environment names. When it names none, starts a local Upstash inside this process, so that
 * values travel the same way as to the real one.
 *
 * @param host - The address at which the demo will listen.
 * @throws ConfigError when the environment contradicts itself.
 */
export async function openBackend(env: Environment, host: string = loopback): Promise<OpenedBackend> {
  const mode = env["CONTINUUM_CACHE_MODE"] || "auto";
  const detecting = mode === "auto" || mode === "upstash";
  const named = !detecting || serverVariables.some((name) => env[name]);
  if (!named) return openEmbedded(env, isLoopback(host));
  const cache = new UpstashCache({ env });
  return { cache, ...serverNamedBy(env, mode), close: () => cache.close() };
}

async function openEmbedded(env: Environment, hasSwitch: boolean): Promise<OpenedBackend> {
  const local = await startUpstashLocal({ port: 0, token: crypto.randomUUID() });
  const cache = new UpstashCache({ mode: "rest", restUrl: local.url, restToken: local.token, env });
  const server = "upstash-local's embedded engine, over REST";
  return {
    cache,
    server,
    serverAddress: `${server} at ${local.url}`,
    ...(hasSwitch && { primary: switchOf(local) }),
    async close() {
      try {
        await cache.close();
      } finally {
        await local.close();
      }
    },
  };
}

/** Cuts the local server off; its values stay, as on a server that can't be reached. */
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

function serverNamedBy(env: Environment, mode: unknown): Pick<OpenedBackend, "server" | "serverAddress"> {
  if (mode === "local") return { server: undefined, serverAddress: undefined };
  const hostOf = (names: readonly string[]): string | undefined => {
    const url = names.map((name) => env[name]).find(Boolean);
    if (url === undefined) return undefined;
    // A Unix socket has a path and no host.
    const { host, pathname } = new URL(String(url));
    return host || pathname;
  };
  const rest = mode === "redis" ? undefined : hostOf(addresses.rest);
  const server = rest === undefined ? "Redis" : "Upstash over REST";
  return { server, serverAddress: `${server} at ${rest ?? hostOf(addresses.redis)}` };
}
