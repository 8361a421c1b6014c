import { ConfigError } from "../errors/config-error.ts";

/** What an address must be like. */
export interface EndpointRules {
  /** The option or variable that holds the address: errors name it. */
  readonly setting: string;
  /** The schemes that are understood, the encrypted one first: `["https:", "http:"]`. */
  readonly schemes: readonly [encrypted: string, plain: string];
  /** Allows the plain scheme to a host that isn't this machine. @default false */
  readonly allowInsecure?: boolean;
  /** How the reader of the message allows that. @default "set `allowInsecure: true`" */
  readonly howToAllow?: string;
  /** The option or variable that holds the token, which is what logs in. @default "token" */
  readonly tokenSetting?: string;
}

/**
 * Reads a server's address, or says what is wrong with it without printing what is secret in it.
 *
 * @throws ConfigError when it is malformed, of another scheme, has a user, a password or parameters, or would send
 *   secrets in the clear over a network.
 *
 * @example
 * ```ts
 * import { parseEndpoint } from "@continuum-cache/core/kit";
 *
 * parseEndpoint("http://127.0.0.1:8079", { setting: "url", schemes: ["https:", "http:"] }).port; // "8079"
 * ```
 */
export function parseEndpoint(text: string, rules: EndpointRules): URL {
  const {
    setting,
    schemes,
    allowInsecure = false,
    howToAllow = "set `allowInsecure: true`",
    tokenSetting = "token",
  } = rules;
  const [encrypted, plain] = schemes;
  const expected = `Expected \`${setting}\` to be an address such as ${encrypted}//your-database.upstash.io`;
  if (typeof text !== "string" || text.trim() !== text || !URL.canParse(text)) {
    const got = typeof text === "string" ? `${text.length} characters that are no address` : typeof text;
    throw new ConfigError(setting, `${expected}, got ${got} (look for blanks, quotes and a missing scheme)`);
  }
  const url = new URL(text);
  if (url.protocol !== encrypted && url.protocol !== plain) {
    throw new ConfigError(setting, `${expected}, got ${otherScheme(url.protocol)}`);
  }
  if (url.hostname === "") throw new ConfigError(setting, `${expected}, got no host`);
  if (url.protocol === plain && !allowInsecure && !isLoopback(url.hostname)) {
    throw new ConfigError(
      setting,
      `\`${setting}\` would send its credentials and all data unencrypted to ${url.hostname}: use ` +
        `${encrypted}// (Upstash always speaks TLS), or ${howToAllow} for a private network`,
    );
  }
  if (url.username || url.password) {
    throw new ConfigError(
      setting,
      `Expected \`${setting}\` without a user and password, got some before ${url.host}: use \`${tokenSetting}\``,
    );
  }
  if (url.search || url.hash) {
    throw new ConfigError(
      setting,
      `Expected \`${setting}\` to end with its path, got more after ${url.origin}: cut it off at ? or #`,
    );
  }
  return url;
}

/**
 * Checks a token without ever printing it.
 *
 * @throws ConfigError when it is empty, or has blanks or line breaks around it, the most common cause of a 401.
 */
export function assertToken(setting: string, token: string): void {
  if (typeof token !== "string" || token === "") {
    throw new ConfigError(
      setting,
      `Expected \`${setting}\` to be a token, got ${token === "" ? "an empty text" : typeof token}`,
    );
  }
  if (/[^\x21-\x7e]/.test(token)) {
    throw new ConfigError(
      setting,
      `\`${setting}\` holds a blank, a line break or another character that no token has: remove it`,
    );
  }
}

/** Whether a host is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "[::1]" || /^(localhost|.+\.localhost|127(\.\d{1,3}){3})$/i.test(hostname);
}

/** What a text begins with that is no known scheme is not repeated: it may be a token with a colon in it. */
function otherScheme(protocol: string): string {
  if (/^rediss?:$/.test(protocol))
    return `the scheme "${protocol}", which belongs into UPSTASH_REDIS_URL (the Redis protocol)`;
  if (/^https?:$/.test(protocol))
    return `the scheme "${protocol}", which belongs into UPSTASH_REDIS_REST_URL (the REST API)`;
  return "another scheme";
}
