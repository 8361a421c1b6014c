import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { startRedisServer } from "../../packages/conformance/src/servers.ts";
import { startUpstashLocal } from "../../packages/upstash-local/src/index.ts";
import { instrumenting, type TracedFunction } from "./instrument.ts";

/** What one warm operation of the default cache goes through. */
export interface CallPath {
  readonly operation: string;
  /** The functions of the packages that it enters, in order. */
  readonly entered: readonly TracedFunction[];
  /** How many different files those are in. */
  readonly files: number;
  /** How often the next function is in another file than the one before. */
  readonly moves: number;
  readonly promises: number;
  readonly timers: number;
}

interface Trace {
  readonly operation: string;
  readonly entered: readonly number[];
  readonly promises: number;
  readonly timers: number;
}

const root = resolve(import.meta.dirname, "../..");

/** Traces the operations of `traced-program.mjs` against real servers on loopback. */
export async function callPaths(): Promise<readonly CallPath[]> {
  const functions: TracedFunction[] = [];
  const folder = await mkdtemp(join(tmpdir(), "call-path-"));
  const redis = await startRedisServer();
  const rest = await startUpstashLocal({ port: 0, redisUrl: redis.url });
  try {
    const program = join(folder, "program.mjs");
    await writeFile(program, await bundled(functions));
    const { stdout } = await promisify(execFile)(process.execPath, [program, redis.url, rest.url, rest.token]);
    return (JSON.parse(stdout) as Trace[]).map((trace) => toCallPath(trace, functions));
  } finally {
    await rest.close();
    await redis.close();
    await rm(folder, { recursive: true });
  }
}

/** The program in one file. Each function of the packages tells when it begins; those of their dependencies do not. */
async function bundled(functions: TracedFunction[]): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: {
      contents: await readFile(join(import.meta.dirname, "traced-program.mjs"), "utf8"),
      resolveDir: join(root, "packages/continuum-cache/test"),
    },
    bundle: true,
    format: "esm",
    target: "node20",
    platform: "node",
    conditions: ["@continuum-cache/source", "node"],
    // ioredis is CommonJS and asks for Node's modules by `require`.
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
    },
    plugins: [instrumenting(root, functions)],
    write: false,
    logLevel: "silent",
  });
  return (outputFiles[0] as { readonly contents: Uint8Array }).contents;
}

function toCallPath({ operation, entered, promises, timers }: Trace, functions: readonly TracedFunction[]): CallPath {
  const path = entered.map((id) => functions[id] as TracedFunction);
  const moves = path.filter(({ file }, at) => at > 0 && path[at - 1]?.file !== file).length;
  return { operation, entered: path, files: new Set(path.map(({ file }) => file)).size, moves, promises, timers };
}
