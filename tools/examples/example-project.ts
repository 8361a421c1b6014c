import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attemptCommand, type CommandSettings } from "../publishing/run-command.ts";
import type { Example } from "./examples.ts";
import { wayToRun } from "./ways-to-run.ts";

/** The servers that stand in for those which examples name. */
export interface ExampleServers {
  readonly restUrl: string;
  readonly restToken: string;
  readonly redisUrl: string;
  /** Another one, for the example that empties it. */
  readonly spareRedisUrl: string;
}

/** What examples leave to their reader: `declare function myTransport(): Transport`. */
const given = `
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { tcpTransport } from "@continuum-cache/transport-tcp";

/** One whose streams can't grow, as those examples take it. */
function myTransport(url = process.env["UPSTASH_REDIS_URL"]) {
  const transport = tcpTransport({ url });
  const subscribe = async (...request) => {
    const { add, remove, ...fixed } = await transport.subscribe(...request);
    return fixed;
  };
  return { ...transport, subscribe };
}

Object.assign(globalThis, {
  myTransport,
  mine: memoryTransport(),
  redis: tcpTransport({ url: process.env["SPARE_REDIS_URL"] }),
});
`;

/** Writes the examples into the project in `folder`, where their packages are installed. */
export function writeExamples(folder: string, examples: readonly Example[], servers: ExampleServers): void {
  mkdirSync(join(folder, "examples"), { recursive: true });
  for (const [index, { code }] of examples.entries()) {
    writeFileSync(join(folder, "examples", `example-${index}.ts`), `${addressed(code, index, servers)}\nexport {};\n`);
  }
  writeFileSync(join(folder, "given.mjs"), given);
  const compilerOptions = {
    target: "ES2022",
    lib: ["ES2024", "DOM", "DOM.Iterable", "ESNext.Disposable"],
    module: "NodeNext",
    strict: true,
    skipLibCheck: false,
    types: ["node"],
    rootDir: "examples",
    outDir: "built",
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["examples"] }));
}

/** The same example with the addresses, tokens and paths of this run. */
function addressed(code: string, index: number, { restUrl, restToken, redisUrl }: ExampleServers): string {
  return (
    code
      .replace(/https:\/\/[\w-]+\.upstash\.io/g, restUrl)
      .replace(/http:\/\/127\.0\.0\.1:8079/g, restUrl)
      .replace(/redis:\/\/127\.0\.0\.1:6379/g, redisUrl)
      // The same histories each time: finding new ones is for the packages' own tests.
      .replace("runs: 300 }", "runs: 300, seed: 7 }")
      .replace(/(?<=[tT]oken: )"(…|local)"/g, JSON.stringify(restToken))
      .replace("/var/lib/app/outage.journal", `outage-${index}.journal`)
  );
}

/** Runs a compiled example as its way is. @returns what is wrong, or nothing. */
export async function runExample(
  folder: string,
  index: number,
  example: Example,
  servers: ExampleServers,
  settings: CommandSettings,
): Promise<string | undefined> {
  const way = wayToRun(example);
  if (way.kind === "compiles only") return undefined;
  const built = join("built", `example-${index}.js`);
  const preload = /^declare /m.test(example.code) ? ["--import", "./given.mjs"] : [];
  const env = {
    ...settings.env,
    UPSTASH_REDIS_REST_URL: servers.restUrl,
    UPSTASH_REDIS_REST_TOKEN: servers.restToken,
    UPSTASH_REDIS_URL: servers.redisUrl,
    SPARE_REDIS_URL: servers.spareRedisUrl,
  };
  const until = way.kind === "goes on" ? way.prints : undefined;
  const { status, stdout, stderr } = await attemptCommand([process.execPath, ...preload, built], {
    ...settings,
    cwd: folder,
    env,
    timeoutMs: 60_000,
    ...(until ? { until } : {}),
  });
  const told = `${stdout}${stderr}`;
  const ending = status === null ? "did not end" : `ended with ${status}`;
  if (way.kind === "ends") return status === 0 ? undefined : `${ending}\n${told.slice(-2_000)}`;
  const expected = way.kind === "fails" ? way.with : way.prints;
  const ended = way.kind === "fails" ? status !== 0 && status !== null : status === null;
  return ended && expected.test(told) ? undefined : `${ending}, without ${expected}\n${told.slice(-2_000)}`;
}

/** @returns the compiler's complaints about each example, by index; those about nothing of them come under -1. */
export async function compileExamples(
  tsc: string,
  folder: string,
  settings: CommandSettings,
): Promise<ReadonlyMap<number, string[]>> {
  const { stdout, stderr } = await attemptCommand([tsc, "-p", folder, "--pretty", "false"], settings);
  const complaints = new Map<number, string[]>();
  for (const line of `${stdout}${stderr}`.split("\n").filter((each) => /error|Error/.test(each))) {
    const index = Number(/example-(\d+)\.ts/.exec(line)?.[1] ?? -1);
    complaints.set(index, [...(complaints.get(index) ?? []), line]);
  }
  return complaints;
}

/** The version of a package that the repository's own catalog names, for what examples need besides ours. */
export function catalogVersion(root: string, name: string): string {
  const catalog = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const found = new RegExp(`^ {2}"?${name}"?: (.+)$`, "m").exec(catalog)?.[1];
  if (found === undefined) throw new Error(`${name} is not in the catalog of pnpm-workspace.yaml`);
  return found.trim();
}
