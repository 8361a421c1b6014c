import { ConfigError } from "@continuum-cache/core";
import { booleanOption } from "@continuum-cache/core/kit";
import type { Environment } from "./cache-options.ts";
import { missingRest, modeOf, type RestServer, restServer, type ServerOptions, variable } from "./environment.ts";

/** A server that speaks the Redis protocol. Its other settings are read where that can be spoken. */
export interface RedisServer {
  readonly kind: "redis";
  readonly url: string;
  /** The option or variable that names it. */
  readonly setting: string;
}

/** The server that was chosen. */
export type Server = RestServer | RedisServer | { readonly kind: "local"; readonly reason: "asked" | "nothing-set" };

/**
 * Chooses the server from options and environment; options win.
 *
 * @throws ConfigError that names the option or variable and what to do, before anything is touched.
 */
export function chooseServer(options: ServerOptions, env: Environment): Server {
  const mode = modeOf(options.mode, env);
  booleanOption("global", options.global);
  if (mode === "local") return { kind: "local", reason: "asked" };
  const rest = mode === "redis" ? undefined : restServer(options, env);
  if (rest) return rest;
  if (mode === "rest") throw missingRest();
  const url = options.url ?? variable(env, "UPSTASH_REDIS_URL");
  if (url !== undefined)
    return { kind: "redis", url, setting: options.url === undefined ? "UPSTASH_REDIS_URL" : "url" };
  if (mode === "redis") throw missingRedis();
  return { kind: "local", reason: "nothing-set" };
}

const missingRedis = (): ConfigError =>
  new ConfigError("UPSTASH_REDIS_URL", "The redis mode needs a server: set UPSTASH_REDIS_URL, or pass `url`");
