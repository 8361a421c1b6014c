import { isConfigError } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";
import type { Environment } from "../src/settings/cache-options.ts";
import { chooseServer } from "../src/settings/choose-server.ts";
import { fallbackOf, type ServerOptions } from "../src/settings/environment.ts";
import { redisSettings } from "../src/settings/redis-settings.ts";

const rest = { UPSTASH_REDIS_REST_URL: "https://db.upstash.io", UPSTASH_REDIS_REST_TOKEN: "canary-token" };
const vercel = { KV_REST_API_URL: "https://kv.upstash.io", KV_REST_API_TOKEN: "kv-token" };
const globalPair = {
  UPSTASH_REDIS_GLOBAL_REST_URL: "https://global.upstash.io",
  UPSTASH_REDIS_GLOBAL_REST_TOKEN: "global-token",
};
const redis = { UPSTASH_REDIS_URL: "rediss://default:canary-password@db.upstash.io:6379" };

const insecure = { CONTINUUM_CACHE_ALLOW_INSECURE: "true" };

/** The server that is chosen, with all that is read of it. */
function serverOf(options: ServerOptions, env: Environment): object {
  const server = chooseServer(options, env);
  return server.kind === "redis" ? { ...server, ...redisSettings(server, options, env) } : server;
}

describe("the server is chosen", () => {
  it.each([
    ["REST when its pair is there", {}, { ...rest, ...redis }, { kind: "rest", url: "https://db.upstash.io" }],
    ["Vercel's names for the pair", {}, vercel, { kind: "rest", url: "https://kv.upstash.io", token: "kv-token" }],
    ["our names before Vercel's", {}, { ...vercel, ...rest }, { kind: "rest", token: "canary-token" }],
    ["else Redis when its URL is there", {}, redis, { kind: "redis", poolSize: 10 }],
    ["else local", {}, {}, { kind: "local", reason: "nothing-set" }],
    ["empty variables count as not set", {}, { UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_URL: "" }, { kind: "local" }],
    ["mode redis, though REST is there", { mode: "redis" }, { ...rest, ...redis }, { kind: "redis" }],
    ["mode local, though REST is there", { mode: "local" }, rest, { kind: "local", reason: "asked" }],
    ["mode by variable", {}, { ...rest, CONTINUUM_CACHE_MODE: "local" }, { kind: "local", reason: "asked" }],
    ["the seed's mode upstash", {}, { ...rest, CONTINUUM_CACHE_MODE: "upstash" }, { kind: "rest" }],
    ["an option before a variable", { mode: "rest" }, { ...rest, CONTINUUM_CACHE_MODE: "local" }, { kind: "rest" }],
    [
      "the global database's pair",
      { global: true },
      { ...rest, ...globalPair },
      { url: "https://global.upstash.io", token: "global-token" },
    ],
    [
      "options before variables",
      { restUrl: "http://127.0.0.1:1", restToken: "mine" },
      rest,
      { url: "http://127.0.0.1:1", token: "mine" },
    ],
    ["a pool size by variable", {}, { ...redis, UPSTASH_POOL_SIZE: "3" }, { poolSize: 3 }],
    ["plaintext by variable", {}, { UPSTASH_REDIS_URL: "redis://redis:6379", ...insecure }, { allowInsecure: true }],
    [
      "plaintext REST by variable",
      {},
      { ...rest, UPSTASH_REDIS_REST_URL: "http://upstash-local:8079", ...insecure },
      { kind: "rest", allowInsecure: true },
    ],
    [
      "a Unix socket",
      { url: "unix:///run/redis.sock?db=1" },
      {},
      { kind: "redis", url: "unix:///run/redis.sock?db=1" },
    ],
    ["a file of certificates", {}, { ...redis, CONTINUUM_CACHE_CA_FILE: "/ca.pem" }, { caFile: "/ca.pem" }],
    [
      "certificates by option before the file",
      { tls: { ca: "-----BEGIN CERTIFICATE-----" } },
      { ...redis, CONTINUUM_CACHE_CA_FILE: "/ca.pem" },
      { caFile: undefined, tls: { ca: "-----BEGIN CERTIFICATE-----" } },
    ],
    ["a pool size by option", { poolSize: 4 }, { ...redis, UPSTASH_POOL_SIZE: "3" }, { poolSize: 4 }],
  ] as const)("%s", (_, options, env, expected) => {
    expect(serverOf(options, env)).toMatchObject(expected);
  });
});

describe("a setting that can't be is a ConfigError that names it and the fix, and prints no secret", () => {
  it.each([
    [
      "half a pair",
      {},
      { UPSTASH_REDIS_REST_URL: rest.UPSTASH_REDIS_REST_URL },
      "UPSTASH_REDIS_REST_TOKEN",
      /is set but UPSTASH_REDIS_REST_TOKEN is not/,
    ],
    [
      "the other half",
      {},
      { UPSTASH_REDIS_REST_TOKEN: "canary-token" },
      "UPSTASH_REDIS_REST_URL",
      /pass `restUrl`, or unset UPSTASH_REDIS_REST_TOKEN/,
    ],
    ["half of Vercel's pair", {}, { KV_REST_API_TOKEN: "canary-token" }, "KV_REST_API_URL", /KV_REST_API_TOKEN is set/],
    [
      "halves of two pairs",
      {},
      { UPSTASH_REDIS_REST_URL: "https://db.upstash.io", KV_REST_API_TOKEN: "canary" },
      "UPSTASH_REDIS_REST_TOKEN",
      /is not/,
    ],
    [
      "a malformed URL",
      {},
      { ...rest, UPSTASH_REDIS_REST_URL: "db.upstash.io" },
      "UPSTASH_REDIS_REST_URL",
      /missing scheme/,
    ],
    [
      "plaintext to a public host",
      {},
      { ...rest, UPSTASH_REDIS_REST_URL: "http://db.upstash.io" },
      "UPSTASH_REDIS_REST_URL",
      /use https:/,
    ],
    [
      "plaintext Redis to a public host",
      {},
      { UPSTASH_REDIS_URL: "redis://default:canary@db.upstash.io:6379" },
      "UPSTASH_REDIS_URL",
      /use rediss:/,
    ],
    [
      "a Redis URL for REST",
      {},
      { ...rest, UPSTASH_REDIS_REST_URL: redis.UPSTASH_REDIS_URL },
      "UPSTASH_REDIS_REST_URL",
      /belongs into UPSTASH_REDIS_URL/,
    ],
    [
      "a token with a line break",
      {},
      { ...rest, UPSTASH_REDIS_REST_TOKEN: "canary\n" },
      "UPSTASH_REDIS_REST_TOKEN",
      /line break/,
    ],
    [
      "an unknown mode",
      {},
      { CONTINUUM_CACHE_MODE: "turbo" },
      "CONTINUUM_CACHE_MODE",
      /one of "auto", "upstash", "rest", "redis", "local", got "turbo"/,
    ],
    ["an unknown mode by option", { mode: "fast" as never }, {}, "mode", /got "fast"/],
    [
      "REST without a pair",
      { mode: "rest" },
      redis,
      "UPSTASH_REDIS_REST_URL",
      /set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN/,
    ],
    ["Redis without a URL", { mode: "redis" }, rest, "UPSTASH_REDIS_URL", /pass `url`/],
    [
      "global without its pair",
      { global: true },
      rest,
      "UPSTASH_REDIS_GLOBAL_REST_URL",
      /UPSTASH_REDIS_GLOBAL_REST_TOKEN/,
    ],
    [
      "plaintext Redis in a container, which says how to allow it",
      {},
      { UPSTASH_REDIS_URL: "redis://:canary@redis:6379" },
      "UPSTASH_REDIS_URL",
      /set `allowInsecure: true` or CONTINUUM_CACHE_ALLOW_INSECURE=true/,
    ],
    [
      "plaintext REST in a container, which says how to allow it",
      {},
      { ...rest, UPSTASH_REDIS_REST_URL: "http://upstash-local:8079" },
      "UPSTASH_REDIS_REST_URL",
      /CONTINUUM_CACHE_ALLOW_INSECURE=true/,
    ],
    [
      "plaintext allowed by a word",
      {},
      { ...redis, CONTINUUM_CACHE_ALLOW_INSECURE: "yes" },
      "CONTINUUM_CACHE_ALLOW_INSECURE",
      /"true" or "false", got "yes"/,
    ],
    ["a parameter", { url: "redis://localhost?ssl=true&x=canary" }, {}, "url", /got "ssl": rediss:/],
    ["a database that is none", { url: "redis://:canary@localhost/main" }, {}, "url", /number of a database/],
    ["a user before REST", { restUrl: "https://canary@x.io", restToken: "t" }, {}, "restUrl", /without a user/],
    ["TLS for REST", { tls: {} }, rest, "tls", /NODE_EXTRA_CA_CERTS/],
    [
      "a file of certificates for REST",
      {},
      { ...rest, CONTINUUM_CACHE_CA_FILE: "/ca.pem" },
      "CONTINUUM_CACHE_CA_FILE",
      /for the Redis protocol/,
    ],
    ["TLS for plaintext", { url: "redis://localhost", tls: {} }, {}, "tls", /does not begin with rediss:/],
    [
      "a file of certificates for plaintext",
      { url: "unix:///run/redis.sock" },
      { CONTINUUM_CACHE_CA_FILE: "/ca.pem" },
      "CONTINUUM_CACHE_CA_FILE",
      /does not begin with rediss:/,
    ],
    ["an unknown TLS setting", { tls: { CA: "" } as never }, redis, "CA", /Did you mean `ca`/],
    ["a path in the place of a certificate", { tls: { ca: "/canary.pem" } }, redis, "tls.ca", /read the file first/],
    ["a pool of none", {}, { ...redis, UPSTASH_POOL_SIZE: "0" }, "UPSTASH_POOL_SIZE", /from 1 to 1000, got "0"/],
    ["a pool of some", { poolSize: Number.NaN }, redis, "poolSize", /got NaN/],
  ] as const)("%s", (_, options, env, setting, message) => {
    try {
      serverOf(options, env);
      expect.unreachable();
    } catch (error) {
      expect(isConfigError(error) && error.setting).toBe(setting);
      expect(String(error)).toMatch(message);
      expect(String(error)).not.toContain("canary");
    }
  });

  it("a fallback that is neither true nor false", () => {
    expect(fallbackOf(undefined, {})).toBe(true);
    expect(fallbackOf(undefined, { CONTINUUM_CACHE_FALLBACK: "false" })).toBe(false);
    expect(fallbackOf(true, { CONTINUUM_CACHE_FALLBACK: "false" })).toBe(true);
    expect(() => fallbackOf(undefined, { CONTINUUM_CACHE_FALLBACK: "yes" })).toThrow(
      /to be "true" or "false", got "yes"/,
    );
  });
});
