import { ConfigError } from "../errors/config-error.ts";
import { isLoopback } from "./endpoint.ts";

/** Where a Redis server is and how to log in, as an address says it. */
export interface RedisAddress {
  /** TLS, by `rediss://`. */
  readonly secure: boolean;
  /** Host name or IP address, and port; or the path of a Unix socket. */
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
  /** `host:port` or the path, for messages. */
  readonly where: string;
  readonly database: number;
  readonly username?: string;
  readonly password?: string;
  /** Only addresses of this version of IP. */
  readonly family?: 4 | 6;
}

/** How a Redis address is to be read. */
export interface RedisUrlRules {
  /** The option or variable that holds the address: errors name it. */
  readonly setting: string;
  /** Allows `redis://` to a host that isn't this machine. @default false */
  readonly allowInsecure?: boolean;
  /** How the reader of the message allows that. @default "set `allowInsecure: true`" */
  readonly howToAllow?: string;
}

/**
 * The parameters behind `?` that are understood, where a host stands before them and where the path of a socket does.
 */
const hostParameters = ["db", "family"];
const socketParameters = ["db", "username", "password"];

/**
 * Reads the address of a Redis server: `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS, or
 * `unix:///path/of/socket`. Behind a `?` it takes `db` and `family` (4 or 6), for a socket `db`, `username` and
 * `password`.
 *
 * @throws ConfigError when it is malformed, has a part that is not understood, or would send secrets in the clear
 *   over a network. The message never holds the password.
 *
 * @example
 * ```ts
 * import { parseRedisUrl } from "@continuum-cache/core/kit";
 *
 * parseRedisUrl("rediss://default:secret@db.upstash.io:6379/2", { setting: "url" }).database; // 2
 * ```
 */
export function parseRedisUrl(text: unknown, rules: RedisUrlRules): RedisAddress {
  const { setting } = rules;
  const form = "rediss://user:password@host:6379 (or redis:// for a local server)";
  const expected = `Expected \`${setting}\` to look like ${form}`;
  if (text === undefined || text === "") throw new ConfigError(setting, `${expected}, got none`);
  // The parser's own error repeats the whole text, password included: it must not become a cause.
  const url = typeof text === "string" && text.trim() === text && URL.canParse(text) ? new URL(text) : undefined;
  if (!url) {
    throw new ConfigError(setting, `${expected}, got something that is no URL (look for blanks and a missing scheme)`);
  }
  if (url.protocol === "unix:") return readSocket(url, setting);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") {
    throw new ConfigError(setting, `${expected}, got ${otherScheme(url.protocol)}`);
  }
  if (url.hostname === "") throw new ConfigError(setting, `${expected}, got no host`);
  const secure = url.protocol === "rediss:";
  if (!secure && !rules.allowInsecure && !isLoopback(url.hostname)) {
    throw new ConfigError(
      setting,
      `\`${setting}\` would send the password and all data unencrypted to ${url.hostname}: use rediss:// ` +
        `(Upstash always speaks TLS), or ${rules.howToAllow ?? "set `allowInsecure: true`"} for a private network`,
    );
  }
  const parameters = readParameters(url, setting, hostParameters);
  const port = url.port === "" ? 6379 : Number(url.port);
  return {
    secure,
    at: { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port },
    where: `${url.hostname}:${port}`,
    database: readDatabase(url, parameters, setting),
    ...(url.username !== "" && { username: decoded(url.username, setting) }),
    ...(url.password !== "" && { password: decoded(url.password, setting) }),
    ...readFamily(parameters.get("family"), setting),
  };
}

function readSocket(url: URL, setting: string): RedisAddress {
  const path = decoded(url.pathname, setting);
  if (url.hostname !== "" || path.length < 2) {
    throw new ConfigError(setting, `Expected \`${setting}\` to have three slashes, as in unix:///run/redis.sock`);
  }
  const parameters = readParameters(url, setting, socketParameters);
  const [username, password] = [parameters.get("username"), parameters.get("password")];
  return {
    secure: false,
    at: { path },
    where: path,
    database: databaseOf(parameters.get("db") ?? "0", setting),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

function readParameters(url: URL, setting: string, known: readonly string[]): ReadonlyMap<string, string> {
  if (url.hash !== "") {
    throw new ConfigError(setting, `Expected \`${setting}\` without a part behind #: write a # in the password as %23`);
  }
  const parameters = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!known.includes(name)) {
      const hint = /^(tls|ssl)/i.test(name) ? ": rediss:// asks for TLS" : "";
      throw new ConfigError(
        setting,
        `Expected \`${setting}\` with no parameters but ${known.join(", ")}, got ` +
          `${JSON.stringify(name.slice(0, 40))}${hint}`,
      );
    }
    if (parameters.has(name))
      throw new ConfigError(setting, `Expected \`${setting}\` to say ${name} once, got it twice`);
    parameters.set(name, value);
  }
  return parameters;
}

function readDatabase(url: URL, parameters: ReadonlyMap<string, string>, setting: string): number {
  const fromPath = url.pathname.replace(/^\//, "");
  const fromParameter = parameters.get("db");
  if (fromPath !== "" && fromParameter !== undefined) {
    throw new ConfigError(setting, `Expected \`${setting}\` to say its database once: behind the host, or as ?db=`);
  }
  return databaseOf(fromParameter ?? (fromPath === "" ? "0" : fromPath), setting);
}

function databaseOf(text: string, setting: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new ConfigError(setting, `Expected \`${setting}\` to have the number of a database behind the host, or none`);
}

function readFamily(text: string | undefined, setting: string): Pick<RedisAddress, "family"> {
  if (text === undefined || text === "0") return {};
  if (text === "4") return { family: 4 };
  if (text === "6") return { family: 6 };
  throw new ConfigError(
    setting,
    `Expected \`family\` in \`${setting}\` to be 4 or 6, got ${JSON.stringify(text.slice(0, 10))}`,
  );
}

function decoded(part: string, setting: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConfigError(
      setting,
      `Expected user and password in \`${setting}\` to be percent-encoded: write % itself as %25`,
    );
  }
}

/**
 * What a text begins with that is no known scheme may be a password with a colon in it: only plain schemes are
 * repeated.
 */
function otherScheme(protocol: string): string {
  if (/^https?:$/.test(protocol)) {
    return `"${protocol}": that is the address of the REST API, which restTransport and UPSTASH_REDIS_REST_URL take`;
  }
  return /^[a-z+]{2,12}:$/.test(protocol) ? `"${protocol}"` : "another scheme";
}
