import { build } from "esbuild";
import type { Runtime } from "./runtimes.ts";

const marker = "runtimes-report:";

/** The programs around a suite: a process that prints its report, and a Worker that answers with it. */
const processEntry = (suite: string): string => `
  import { runBare } from "./inside/bare-runner.ts";
  import { suite } from "./suites/${suite}.ts";
  const site = JSON.parse(process.env.SITE);
  console.log(${JSON.stringify(marker)} + JSON.stringify(await runBare((runner) => suite(runner, site))));`;
const workerEntry = (suite: string): string => `
  import { runBare } from "./inside/bare-runner.ts";
  import { suite } from "./suites/${suite}.ts";
  export default {
    async fetch(_request, { SITE }) {
      const site = JSON.parse(SITE);
      return Response.json(await runBare((runner) => suite(runner, site)));
    },
  };`;

/** ioredis is CommonJS and asks for Node's own modules by `require`, which a module does not have. */
const requireBanner = `
  import { createRequire as requireFrom } from "node:module";
  const require = requireFrom(import.meta.url);`;

/** One file that runs a suite in a runtime: resolved by the runtime's own conditions, from the sources. */
export async function bundleSuite(suite: string, { conditions, command }: Runtime): Promise<string> {
  const isWorker = command === undefined;
  const { outputFiles } = await build({
    stdin: { contents: (isWorker ? workerEntry : processEntry)(suite), resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: isWorker ? "browser" : "node",
    conditions: ["@continuum-cache/source", ...conditions],
    ...(!isWorker && { banner: { js: requireBanner } }),
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** The report in what a process printed; `undefined` when it got no further. */
export function reportIn(stdout: string): string | undefined {
  return stdout
    .split("\n")
    .findLast((line) => line.startsWith(marker))
    ?.slice(marker.length);
}
