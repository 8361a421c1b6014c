#!/usr/bin/env node
import { isConfigError } from "@continuum-cache/core";
import { readCommandLine, usage } from "./cli-options.ts";
import type { UpstashLocalOptions } from "./options.ts";
import { startUpstashLocal, type UpstashLocal } from "./server.ts";

/** The options whose flag has another name. */
const flagOf: Readonly<Record<string, string>> = {
  readOnlyToken: "--read-only-token",
  url: "--redis",
  allowedHosts: "--allow-host",
};

/** A shorter token can be guessed, and may come from an example. */
const leastTokenCharacters = 16;

async function serve(options: UpstashLocalOptions): Promise<void> {
  try {
    const server = await startUpstashLocal(options);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      // A second signal ends the process at once.
      process.once(signal, () => void server.close().then(() => process.exit(0)));
    }
    announce(server, options);
    await tellWhenRedisIsAway(server, options);
  } catch (error) {
    if (!isConfigError(error)) throw error;
    fail(`${flagOf[error.setting] ?? `--${error.setting}`}: ${error.message}\n`);
  }
}

function announce(server: UpstashLocal, { redisUrl, readOnlyToken, host = "127.0.0.1" }: UpstashLocalOptions): void {
  const behind = redisUrl === undefined ? "an embedded memory engine (no Lua: use --redis for EVAL)" : nameOf(redisUrl);
  console.log(`upstash-local listens on ${server.url}, in front of ${behind}\n`);
  console.log(`export UPSTASH_REDIS_REST_URL=${quoted(server.url)}`);
  console.log(`export UPSTASH_REDIS_REST_TOKEN=${quoted(server.token)}`);
  if (readOnlyToken !== undefined) console.log("\nThe read-only token is accepted too.");
  if (!/^(127\.|localhost$|::1$)/.test(host) && server.token.length < leastTokenCharacters) {
    console.error(
      `\nWarning: other machines can reach ${host} and the token is short: leave --token out for a random one`,
    );
  }
}

/** The server starts without its Redis, which may start later. The warning shows a mistyped address. */
async function tellWhenRedisIsAway(server: UpstashLocal, { redisUrl }: UpstashLocalOptions): Promise<void> {
  if (redisUrl === undefined) return;
  const asked = fetch(`${server.url}/ping`, { headers: { authorization: `Bearer ${server.token}` } });
  // Fails only when this server is closing.
  const response = await asked.catch(() => undefined);
  if (!response || response.ok) return;
  const { error } = (await response.json()) as { error: string };
  console.error(
    `\nWarning: ${nameOf(redisUrl)} gives no answer yet, and neither will this server until it does:\n${error}`,
  );
}

/** The address without user and password. */
const nameOf = (redisUrl: string): string => {
  const { protocol, host, pathname } = new URL(redisUrl.trim());
  return `${protocol}//${host}${pathname}`;
};

/** Quoted for a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function fail(message: string): void {
  process.stderr.write(message);
  process.exitCode = 1;
}

const request = readCommandLine(process.argv.slice(2));
switch (request.kind) {
  case "help":
    process.stdout.write(usage);
    break;
  case "wrong":
    fail(`${request.message}\n\n${usage}`);
    break;
  case "start":
    await serve(request.options);
}
