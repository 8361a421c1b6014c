import { randomBytes } from "node:crypto";
import { ConfigError } from "@continuum-cache/core";
import {
  assertOptions,
  assertToken,
  booleanOption,
  type KnownOptions,
  toTimeoutMs,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import type { UpstashLocalOptions } from "./options.ts";

/** The options with their defaults, checked. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly token: string;
  readonly readOnlyToken: string | undefined;
  readonly cors: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
}

const knownOptions: KnownOptions<UpstashLocalOptions> = {
  port: true,
  host: true,
  token: true,
  readOnlyToken: true,
  redisUrl: true,
  allowInsecure: true,
  engine: true,
  cors: true,
  allowedHosts: true,
  limits: true,
  timeout: true,
  heartbeat: true,
};

/** Checks all options. @throws ConfigError when one is wrong or unknown; it names the option and prints no token. */
export function readSettings(options: UpstashLocalOptions): Settings {
  assertOptions("startUpstashLocal", options, knownOptions);
  const { port = 8079, host = "127.0.0.1", readOnlyToken, timeout = "30s", heartbeat = "15s" } = options;
  const { token = randomBytes(24).toString("base64url"), cors = [], allowedHosts = [] } = options;
  wholeNumberOption("port", port, { min: 0, max: 65_535 });
  if (typeof host !== "string" || host === "") {
    const got = host === "" ? "an empty text" : typeof host;
    throw new ConfigError("host", `Expected \`host\` to be an address to listen on, got ${got}`);
  }
  assertToken("token", token);
  if (readOnlyToken !== undefined) assertToken("readOnlyToken", readOnlyToken);
  if (readOnlyToken === token) throw new ConfigError("readOnlyToken", "`readOnlyToken` is the same as `token`");
  booleanOption("allowInsecure", options.allowInsecure);
  if (options.engine && options.redisUrl !== undefined) {
    throw new ConfigError("engine", "`engine` and `redisUrl` exclude each other: give one of them");
  }
  if (options.engine !== undefined && typeof options.engine?.send !== "function") {
    throw new ConfigError("engine", `Expected \`engine\` to be a transport, got ${typeof options.engine}`);
  }
  const wrongOrigin = listOf("cors", cors).find((origin) => origin !== "*" && !isOrigin(origin));
  if (wrongOrigin !== undefined) {
    throw new ConfigError(
      "cors",
      `Expected \`cors\` to hold origins such as "http://localhost:3000", or "*", got ${quoted(wrongOrigin)}`,
    );
  }
  const wrongHost = listOf("allowedHosts", allowedHosts).find((name) => !/^[\w.-]+$/.test(name));
  if (wrongHost !== undefined) {
    throw new ConfigError(
      "allowedHosts",
      `Expected \`allowedHosts\` to hold names without a scheme or a port, got ${quoted(wrongHost)}`,
    );
  }
  return {
    port,
    host,
    token,
    readOnlyToken,
    cors,
    allowedHosts: [...allowedHosts, host].map((name) => name.toLowerCase()),
    timeoutMs: toTimeoutMs(timeout, "timeout"),
    heartbeatMs: toTimeoutMs(heartbeat, "heartbeat"),
  };
}

function listOf(name: string, value: readonly string[]): readonly string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new ConfigError(
    name,
    `Expected \`${name}\` to be a list of texts, got ${Array.isArray(value) ? "others" : typeof value}`,
  );
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 100));

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;
