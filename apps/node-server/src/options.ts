import { parseArgs } from "node:util";

export const usage = `Usage: pnpm demo [options]

Searches 117,791 WordNet concepts through continuum-cache, on this machine only.

  --port <number>  the port to listen on (default 3000; a free one when it is taken)
  --once           a smoke run: a few searches twice, a table of hits and latencies, then the end
  --help           show this

The cache lives in a local Upstash inside this process, unless the environment names a server:
UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or UPSTASH_REDIS_URL.
`;

/** What the command line asks for. */
export type CommandLine =
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string }
  | { readonly kind: "serve"; readonly port: number }
  | { readonly kind: "once"; readonly port: number };

const flags = {
  port: { type: "string" },
  once: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the arguments; what is wrong with them is quoted. */
export function readCommandLine(args: readonly string[]): CommandLine {
  // Some package managers hand on the `--` that was meant for them.
  const own = args[0] === "--" ? args.slice(1) : [...args];
  const { tokens, values } = parseArgs({ args: own, options: flags, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") return wrong(`Expected only options, got ${JSON.stringify(token.value)}`);
    if (token.kind !== "option") continue;
    if (!Object.hasOwn(flags, token.name)) return wrong(`Unknown option ${JSON.stringify(token.rawName)}`);
    if (token.name !== "port" && token.value !== undefined) return wrong(`Expected no value behind ${token.rawName}`);
  }
  if (values.help) return { kind: "help" };
  const { port } = values;
  if (port !== undefined && !(typeof port === "string" && /^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    const got = typeof port === "string" ? JSON.stringify(port) : "nothing";
    return wrong(`Expected --port to be a whole number from 0 to 65535, got ${got}`);
  }
  if (values.once) return { kind: "once", port: Number(port ?? 0) };
  return { kind: "serve", port: Number(port ?? 3_000) };
}

const wrong = (message: string): CommandLine => ({ kind: "wrong", message });
