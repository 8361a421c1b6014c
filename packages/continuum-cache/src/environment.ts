import { assertToken, ConfigError, parseEndpoint } from "@continuum-cache/core";
import type { Environment, UpstashCacheOptions } from "./settings.ts";

/** The server that was chosen, with what it takes to reach it. */
export type Server =
  | { readonly kind: "rest"; readonly url: string; readonly token: string | (() => string | Promise<string>) }
  | { readonly kind: "redis"; readonly url: string; readonly poolSize: number }
  | { readonly kind: "local"; readonly reason: "asked" | "nothing-set" };

type Options = Pick<
  UpstashCacheOptions,
  "mode" | "global" | "restUrl" | "restToken" | "url" | "poolSize" | "allowInsecure"
>;

/**
 * Chooses the server from options and environment; options win.
 *
 * @throws ConfigError that names the option or variable and the mend, before anything is touched.
 */
export function chooseServer(options: Options, env: Environment): Server {
  const mode = modeOf(options.mode, env);
  if (mode === "local") return { kind: "local", reason: "asked" };
  const rest = mode === "redis" ? undefined : restServer(options, env);
  if (rest) return rest;
  if (mode === "rest") throw missing(options.global ? globalPair : restPair, "rest");
  const redis = redisServer(options, env);
  if (redis) return redis;
  if (mode === "redis") throw missing([["url", "UPSTASH_REDIS_URL"]], "redis");
  return { kind: "local", reason: "nothing-set" };
}

/** Whether the local cache may stand in. @throws ConfigError when the variable is neither `true` nor `false`. */
export function fallbackOf(option: boolean | undefined, env: Environment): boolean {
  if (option !== undefined) return option;
  const text = variable(env, "CONTINUUM_CACHE_FALLBACK") ?? "true";
  if (text === "true" || text === "false") return text === "true";
  throw new ConfigError(
    "CONTINUUM_CACHE_FALLBACK",
    `Expected CONTINUUM_CACHE_FALLBACK to be "true" or "false", got ${quote(text)}`,
  );
}

type Names = readonly (readonly [option: string, variable: string])[];

const restPair: Names = [
  ["restUrl", "UPSTASH_REDIS_REST_URL"],
  ["restToken", "UPSTASH_REDIS_REST_TOKEN"],
];
const vercelPair: Names = [
  ["restUrl", "KV_REST_API_URL"],
  ["restToken", "KV_REST_API_TOKEN"],
];
const globalPair: Names = [
  ["restUrl", "UPSTASH_REDIS_GLOBAL_REST_URL"],
  ["restToken", "UPSTASH_REDIS_GLOBAL_REST_TOKEN"],
];

const modes = ["auto", "upstash", "rest", "redis", "local"];

function modeOf(option: string | undefined, env: Environment): string {
  const [setting, mode] =
    option === undefined ? ["CONTINUUM_CACHE_MODE", variable(env, "CONTINUUM_CACHE_MODE") ?? "auto"] : ["mode", option];
  if (modes.includes(mode)) return mode;
  throw new ConfigError(setting, `Expected ${setting} to be one of ${modes.map(quote).join(", ")}, got ${quote(mode)}`);
}

function restServer(options: Options, env: Environment): Server | undefined {
  const candidates = options.global ? [globalPair] : [restPair, vercelPair];
  // The first pair of which anything is set is the one that is meant; a half of it is never completed from another.
  const pair = candidates.find((names) => names.some(([, name]) => variable(env, name) !== undefined)) ?? candidates[0];
  const [[, urlName], [, tokenName]] = pair as unknown as [Names[number], Names[number]];
  const url = options.restUrl ?? variable(env, urlName);
  const token = options.restToken ?? variable(env, tokenName);
  const urlSetting = options.restUrl === undefined ? urlName : "restUrl";
  const tokenSetting = options.restToken === undefined ? tokenName : "restToken";
  if (url === undefined && token === undefined) {
    if (options.global) throw missing(globalPair, "rest");
    return undefined;
  }
  if (url === undefined) throw half(tokenSetting, urlName, "restUrl");
  if (token === undefined) throw half(urlSetting, tokenName, "restToken");
  parseEndpoint(url, {
    setting: urlSetting,
    schemes: ["https:", "http:"],
    allowInsecure: options.allowInsecure ?? false,
  });
  if (typeof token !== "function") assertToken(tokenSetting, token);
  return { kind: "rest", url, token };
}

function redisServer(options: Options, env: Environment): Server | undefined {
  const url = options.url ?? variable(env, "UPSTASH_REDIS_URL");
  if (url === undefined) return undefined;
  const setting = options.url === undefined ? "UPSTASH_REDIS_URL" : "url";
  parseEndpoint(url, { setting, schemes: ["rediss:", "redis:"], allowInsecure: options.allowInsecure ?? false });
  return { kind: "redis", url, poolSize: poolSizeOf(options.poolSize, env) };
}

function poolSizeOf(option: number | undefined, env: Environment): number {
  const text = variable(env, "UPSTASH_POOL_SIZE");
  const size = option ?? Number(text ?? 10);
  if (Number.isSafeInteger(size) && size >= 1 && size <= 1_000) return size;
  const [setting, got] = option === undefined ? ["UPSTASH_POOL_SIZE", quote(text ?? "")] : ["poolSize", String(option)];
  throw new ConfigError(setting, `Expected ${setting} to be a whole number from 1 to 1000, got ${got}`);
}

/** A variable's text; an empty one counts as not set, since that is how many platforms unset it. */
function variable(env: Environment, name: string): string | undefined {
  const value = env[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

const half = (set: string, absent: string, option: string): ConfigError =>
  new ConfigError(
    absent,
    `${set} is set but ${absent} is not: set ${absent} too, or pass \`${option}\`, or unset ${set}`,
  );

function missing(names: Names, mode: string): ConfigError {
  const variables = names.map(([, name]) => name).join(" and ");
  const options = names.map(([option]) => `\`${option}\``).join(" and ");
  return new ConfigError(
    names[0]?.[1] ?? mode,
    `The ${mode} mode needs a server: set ${variables}, or pass ${options}`,
  );
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 40));
