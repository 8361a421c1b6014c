import { ConfigError } from "@continuum-cache/core";
import {
  assertOptions,
  assertPem,
  type KnownOptions,
  parseRedisUrl,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type { Environment, TlsSettings } from "./cache-options.ts";
import type { RedisServer } from "./choose-server.ts";
import { caVariable, plaintext, quote, type ServerOptions, tlsSettingOf, variable } from "./environment.ts";

/** What it takes to reach a server by the Redis protocol. */
export interface RedisSettings {
  readonly url: string;
  readonly poolSize: number;
  readonly allowInsecure: boolean;
  readonly tls: TlsSettings | undefined;
  /** A file with certificates to trust, unless `tls` names some. */
  readonly caFile: string | undefined;
}

/** @throws ConfigError that names the option or variable and what to do. */
export function redisSettings({ url, setting }: RedisServer, options: ServerOptions, env: Environment): RedisSettings {
  const allowed = plaintext(options, env);
  const { secure } = parseRedisUrl(url, { setting, ...allowed });
  const tlsSetting = tlsSettingOf(options, env);
  if (!secure && tlsSetting !== undefined) {
    throw new ConfigError(
      tlsSetting,
      `${tlsSetting} is set but ${setting} does not begin with rediss://, which asks for TLS`,
    );
  }
  assertTls(options.tls);
  return {
    url,
    poolSize: poolSizeOf(options.poolSize, env),
    allowInsecure: allowed.allowInsecure,
    tls: options.tls,
    caFile: options.tls?.ca === undefined ? variable(env, caVariable) : undefined,
  };
}

function poolSizeOf(option: number | undefined, env: Environment): number {
  const text = variable(env, "UPSTASH_POOL_SIZE");
  if (option !== undefined) return wholeNumberOption("poolSize", option, { max: 1_000 });
  const size = Number(text ?? 10);
  if (Number.isSafeInteger(size) && size >= 1 && size <= 1_000) return size;
  throw new ConfigError(
    "UPSTASH_POOL_SIZE",
    `Expected UPSTASH_POOL_SIZE to be a whole number from 1 to 1000, got ${quote(text ?? "")}`,
  );
}

function assertTls(tls: TlsSettings | undefined): void {
  assertOptions("tls", tls, knownTls);
  for (const name of ["ca", "cert", "key"] as const) if (tls?.[name] !== undefined) assertPem(`tls.${name}`, tls[name]);
}

const knownTls: KnownOptions<TlsSettings> = {
  ca: true,
  cert: true,
  key: true,
  passphrase: true,
  servername: true,
  rejectUnauthorized: true,
};
