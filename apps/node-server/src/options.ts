import { isIP } from "node:net";
import { parseArgs } from "node:util";
import type { Address } from "./listen.ts";

export const usage = `Usage: pnpm demo [options]

Searches 117,791 WordNet concepts through continuum-cache.

  --port <number>  the port to listen on (default 3000; a free one when it is taken)
  --host <address> where to listen: 0.0.0.0 lets other machines connect (default 127.0.0.1)
  --name <host>    a name by which others ask for this server; may be repeated
  --trusted-proxies <number>
                   how many proxies of yours stand in front: their X-Forwarded-For and
                   X-Forwarded-Proto tell who asks (default 0: the connection tells)
  --processes <number>
                   how many such servers share a Redis (default 1): while that is away each
                   allows visitors its part of what they may ask
  --once           a smoke run: a few searches twice, a table of hits and latencies, then the end
  --help           show this

The cache lives in a local Upstash inside this process, unless the environment names a server:
UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or UPSTASH_REDIS_URL. For a server without TLS
on another host, such as redis://redis:6379, set CONTINUUM_CACHE_ALLOW_INSECURE=true too.
`;

/** The command that the arguments describe. */
export type CommandLine =
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string }
  | { readonly kind: "serve" | "once"; readonly address: Address; readonly processes: number };

const flags = {
  port: { type: "string" },
  host: { type: "string" },
  name: { type: "string", multiple: true },
  "trusted-proxies": { type: "string" },
  processes: { type: "string" },
  once: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the arguments; an error quotes the wrong one. */
export function readCommandLine(args: readonly string[]): CommandLine {
  // Some package managers pass on the `--` that was meant for them.
  const own = args[0] === "--" ? args.slice(1) : [...args];
  const { tokens, values } = parseArgs({ args: own, options: flags, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") return wrong(`Expected only options, got ${JSON.stringify(token.value)}`);
    if (token.kind !== "option") continue;
    if (!Object.hasOwn(flags, token.name)) return wrong(`Unknown option ${JSON.stringify(token.rawName)}`);
    if (isSwitch(token.name) && token.value !== undefined) return wrong(`Expected no value behind ${token.rawName}`);
  }
  if (values.help) return { kind: "help" };
  const { port, host = "127.0.0.1", name: names = [], "trusted-proxies": proxies, processes: count } = values;
  if (port !== undefined && !(typeof port === "string" && /^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    return wrong(`Expected --port to be a whole number from 0 to 65535, got ${quoted(port)}`);
  }
  if (typeof host !== "string" || isIP(host) === 0) {
    return wrong(`Expected --host to be an address such as 0.0.0.0, got ${quoted(host)}`);
  }
  const odd = names.find((name) => typeof name !== "string" || !/^[\w.-]+$/.test(name));
  if (odd !== undefined) return wrong(`Expected --name to be a host's name without a port, got ${quoted(odd)}`);
  if (proxies !== undefined && !(typeof proxies === "string" && /^\d{1,2}$/.test(proxies))) {
    return wrong(`Expected --trusted-proxies to be a whole number from 0 to 99, got ${quoted(proxies)}`);
  }
  if (count !== undefined && !(typeof count === "string" && /^[1-9]\d{0,3}$/.test(count))) {
    return wrong(`Expected --processes to be a whole number from 1 to 9999, got ${quoted(count)}`);
  }
  const processes = Number(count ?? 1);
  if (values.once) return { kind: "once", address: { port: Number(port ?? 0) }, processes };
  const trustedProxies = Number(proxies ?? 0);
  const address = { port: Number(port ?? 3_000), host, names: names.map(String), trustedProxies };
  return { kind: "serve", address, processes };
}

const isSwitch = (name: string): boolean => flags[name as keyof typeof flags].type === "boolean";
const quoted = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : "nothing");

const wrong = (message: string): CommandLine => ({ kind: "wrong", message });
