import { parseArgs } from "node:util";
import { isConfigError } from "@continuum-cache/core";
import { assertOptions } from "@continuum-cache/core/kit";
import type { UpstashLocalOptions } from "./options.ts";

export const usage = `Usage: upstash-local [options]

A local server that speaks the REST protocol of Upstash Redis.

  --port <number>            the port to listen on, 0 for a free one (default 8079)
  --host <address>           the address to listen on (default 127.0.0.1)
  --token <token>            the token that may run every command (default: a random one, which is printed)
  --read-only-token <token>  a token that may only read (default: none)
  --redis <url>              the Redis behind it, redis:// or rediss:// (default: an embedded memory engine)
  --allow-insecure           allow redis:// to a Redis on another host
  --cors <origin>            a web page that may use it, such as http://localhost:3000, or "*"; may be repeated
  --allow-host <name>        a name under which it is reached, besides this machine's own; may be repeated
  --help                     show this

Example: upstash-local --port 8079 --redis redis://127.0.0.1:6379
`;

/** The command line, parsed. */
export type CliRequest =
  | { readonly kind: "help" }
  | { readonly kind: "start"; readonly options: UpstashLocalOptions }
  | { readonly kind: "wrong"; readonly message: string };

const flags = {
  port: { type: "string" },
  host: { type: "string" },
  token: { type: "string" },
  "read-only-token": { type: "string" },
  redis: { type: "string" },
  "allow-insecure": { type: "boolean" },
  cors: { type: "string", multiple: true },
  "allow-host": { type: "string", multiple: true },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the arguments. A wrong one is quoted in the message, unless it may be a secret. */
export function readCommandLine(args: readonly string[]): CliRequest {
  const parsed = parse(args);
  if ("message" in parsed) return { kind: "wrong", message: parsed.message };
  const { values } = parsed;
  if (values.help) return { kind: "help" };
  if (values.port !== undefined && !(/^\d{1,5}$/.test(values.port) && Number(values.port) <= 65_535)) {
    const message = `Expected --port to be a whole number from 0 to 65535, got ${JSON.stringify(values.port)}`;
    return { kind: "wrong", message };
  }
  const options: UpstashLocalOptions = {
    port: values.port === undefined ? undefined : Number(values.port),
    host: values.host,
    token: values.token,
    readOnlyToken: values["read-only-token"],
    redisUrl: values.redis,
    allowInsecure: values["allow-insecure"],
    cors: values.cors,
    allowedHosts: values["allow-host"],
  };
  return { kind: "start", options };
}

const knownFlags = Object.fromEntries(Object.keys(flags).map((name): [string, true] => [`--${name}`, true]));

/** The error for an unknown flag, which names the closest known one. */
function unknownFlag(rawName: string): string {
  try {
    assertOptions("upstash-local", { [rawName]: true }, knownFlags);
  } catch (error) {
    if (isConfigError(error)) return error.message;
    throw error;
  }
  return `Expected ${rawName} to be written out`;
}

type Values = ReturnType<typeof parseArgs<{ options: typeof flags }>>["values"];

function parse(args: readonly string[]): { readonly values: Values } | { readonly message: string } {
  // Node's own messages are long, and suggest options that do not apply here.
  const { tokens } = parseArgs({ args: [...args], options: flags, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") return { message: `Expected only options, got ${JSON.stringify(token.value)}` };
    if (token.kind !== "option") continue;
    const known = Object.hasOwn(flags, token.name) ? flags[token.name as keyof typeof flags] : undefined;
    if (!known) return { message: unknownFlag(token.rawName) };
    const isFlag = known.type === "boolean";
    if (isFlag && token.value !== undefined) return { message: `Expected no value behind ${token.rawName}` };
    // A value that begins with a dash is most likely the next option, and this one's value is missing.
    if (!isFlag && (token.value === undefined || (!token.inlineValue && token.value.startsWith("--")))) {
      return { message: `Expected a value behind ${token.rawName}` };
    }
  }
  return { values: parseArgs({ args: [...args], options: flags, strict: false }).values as Values };
}
