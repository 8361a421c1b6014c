import { join, resolve } from "node:path";
import { build } from "esbuild";
import type { Runtime } from "./runtimes.ts";

const root = resolve(import.meta.dirname, "../..");
const marker = "runtimes-report:";

/** The programs around a test file: a process that prints its report, and a Worker that answers with it. */
const run = (file: string): string => `await runBare(async (runner) => {
  useRunner(runner);
  await import(${JSON.stringify(file)});
})`;
const imports = `
  import { runBare } from "./inside/bare-runner.ts";
  import { useRunner } from "vitest";`;
const processEntry = (file: string): string => `${imports}
  globalThis.SITE = process.env.SITE;
  console.log(${JSON.stringify(marker)} + JSON.stringify(${run(file)}));`;
const workerEntry = (file: string): string => `${imports}
  export default {
    async fetch(_request, { SITE }) {
      globalThis.SITE = SITE;
      return Response.json(${run(file)});
    },
  };`;

/** ioredis is CommonJS and asks for Node's own modules by `require`, which a module does not have. */
const requireBanner = `
  import { createRequire as requireFrom } from "node:module";
  const require = requireFrom(import.meta.url);`;

/**
 * One file that runs a test file in a runtime, with the servers that it is given: resolved by the runtime's own
 * conditions, from the sources. The test file is the one that vitest runs in Node.
 */
export async function bundleSuite(file: string, { conditions, command }: Runtime): Promise<string> {
  const isWorker = command === undefined;
  const { outputFiles } = await build({
    stdin: {
      contents: (isWorker ? workerEntry : processEntry)(join(root, file)),
      resolveDir: import.meta.dirname,
      loader: "ts",
    },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: isWorker ? "browser" : "node",
    conditions: ["@continuum-cache/source", "@continuum-cache/given-site", ...conditions],
    alias: { vitest: join(import.meta.dirname, "inside/vitest.ts") },
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
