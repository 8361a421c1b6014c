import { ConfigError } from "@continuum-cache/core";
import { assertToken, booleanOption, choiceOption, parseEndpoint } from "@continuum-cache/core/kit";
import type { Environment, UpstashCacheOptions } from "./cache-options.ts";

/** A database that is reached by its REST API. */
export interface RestServer {
  readonly kind: "rest";
  readonly url: string;
  readonly token: string | (() => string | Promise<string>);
  readonly allowInsecure: boolean;
}

/** The options that name the server. */
export type ServerOptions = Pick<
  UpstashCacheOptions,
  "mode" | "global" | "restUrl" | "restToken" | "url" | "poolSize" | "allowInsecure" | "tls"
>;

/**
 * The server where REST is the only way; options win over the environment.
 *
 * @throws ConfigError that names the option or variable and what to do, also when another mode is asked for, or no
 * server is named.
 */
export function chooseRestServer(options: ServerOptions, env: Environment): RestServer {
  const mode = modeOf(options.mode, env);
  booleanOption("global", options.global);
  if (mode === "redis" || mode === "local") {
    const setting = options.mode === undefined ? "CONTINUUM_CACHE_MODE" : "mode";
    throw new ConfigError(
      setting,
      `${setting} is ${quote(mode)}, and the UpstashCache of "continuum-cache/rest" has REST alone: ` +
        'import it from "continuum-cache"',
    );
  }
  const rest = restServer(options, env);
  if (!rest) throw missingRest();
  return rest;
}

/** Whether there is a fallback. @throws ConfigError when the variable is neither `true` nor `false`. */
export function fallbackOf(option: boolean | undefined, env: Environment, otherwise = true): boolean {
  return booleanOption("fallback", option) ?? flag(env, "CONTINUUM_CACHE_FALLBACK") ?? otherwise;
}

/** @throws ConfigError when the variable is neither `true` nor `false`. */
function flag(env: Environment, name: string): boolean | undefined {
  const text = variable(env, name);
  if (text === undefined || text === "true" || text === "false") return text && text === "true";
  throw new ConfigError(name, `Expected ${name} to be "true" or "false", got ${quote(text)}`);
}

const insecureVariable = "CONTINUUM_CACHE_ALLOW_INSECURE";
export const caVariable = "CONTINUUM_CACHE_CA_FILE";

/** Whether plaintext is allowed, for `parseEndpoint` and `parseRedisUrl`. */
export const plaintext = (
  options: ServerOptions,
  env: Environment,
): { readonly allowInsecure: boolean; readonly howToAllow: string } => ({
  allowInsecure: booleanOption("allowInsecure", options.allowInsecure) ?? flag(env, insecureVariable) ?? false,
  howToAllow: `set \`allowInsecure: true\` or ${insecureVariable}=true`,
});

/** The variables of one REST database. */
interface RestVariables {
  readonly url: string;
  readonly token: string;
}

const upstash: RestVariables = { url: "UPSTASH_REDIS_REST_URL", token: "UPSTASH_REDIS_REST_TOKEN" };
const vercel: RestVariables = { url: "KV_REST_API_URL", token: "KV_REST_API_TOKEN" };
const globalDatabase: RestVariables = {
  url: "UPSTASH_REDIS_GLOBAL_REST_URL",
  token: "UPSTASH_REDIS_GLOBAL_REST_TOKEN",
};

const modes = ["auto", "upstash", "rest", "redis", "local"];

export function modeOf(option: string | undefined, env: Environment): string {
  if (option !== undefined) return choiceOption("mode", option, modes);
  return choiceOption("CONTINUUM_CACHE_MODE", variable(env, "CONTINUUM_CACHE_MODE") ?? "auto", modes);
}

/** The REST API that is named, if one is. */
export function restServer(options: ServerOptions, env: Environment): RestServer | undefined {
  const names = restVariables(options, env);
  const url = options.restUrl ?? variable(env, names.url);
  const token = options.restToken ?? variable(env, names.token);
  const urlSetting = options.restUrl === undefined ? names.url : "restUrl";
  const tokenSetting = options.restToken === undefined ? names.token : "restToken";
  if (url === undefined && token === undefined) {
    if (options.global) throw missingRest(globalDatabase);
    return undefined;
  }
  if (url === undefined) throw half(tokenSetting, names.url, "restUrl");
  if (token === undefined) throw half(urlSetting, names.token, "restToken");
  const allowed = plaintext(options, env);
  parseEndpoint(url, { setting: urlSetting, schemes: ["https:", "http:"], tokenSetting, ...allowed });
  if (typeof token !== "function") assertToken(tokenSetting, token);
  const tlsSetting = tlsSettingOf(options, env);
  if (tlsSetting !== undefined) {
    throw new ConfigError(
      tlsSetting,
      `${tlsSetting} is for the Redis protocol, and this cache uses REST: ` +
        'name the authority in NODE_EXTRA_CA_CERTS, or use rediss:// by `mode: "redis"`',
    );
  }
  return { kind: "rest", url, token, allowInsecure: allowed.allowInsecure };
}

/** The option or variable that sets up TLS, if one does. */
export const tlsSettingOf = (options: ServerOptions, env: Environment): string | undefined => {
  if (options.tls !== undefined) return "tls";
  return variable(env, caVariable) === undefined ? undefined : caVariable;
};

/** The first pair of variables of which one is set. A missing half is never taken from another pair. */
function restVariables(options: ServerOptions, env: Environment): RestVariables {
  if (options.global) return globalDatabase;
  return [upstash, vercel].find((names) => variable(env, names.url) ?? variable(env, names.token)) ?? upstash;
}

/** The text of a variable. An empty one counts as not set: many platforms unset a variable that way. */
export function variable(env: Environment, name: string): string | undefined {
  const value = env[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

const half = (set: string, absent: string, option: string): ConfigError =>
  new ConfigError(
    absent,
    `${set} is set but ${absent} is not: set ${absent} too, or pass \`${option}\`, or unset ${set}`,
  );

export const missingRest = ({ url, token }: RestVariables = upstash): ConfigError =>
  new ConfigError(url, `The rest mode needs a server: set ${url} and ${token}, or pass \`restUrl\` and \`restToken\``);

export const quote = (text: string): string => JSON.stringify(text.slice(0, 40));

/** The variables of a Node process; none elsewhere. A Worker passes its own `env`. */
export function processEnvironment(): Environment {
  return (globalThis as { process?: { env?: Environment } }).process?.env ?? {};
}
