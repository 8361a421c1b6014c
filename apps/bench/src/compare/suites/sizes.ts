import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipKilobytes } from "../columns.ts";
import type { Contender, Slice, Suite } from "../suite.ts";

const scenario = "bundle for a Worker";
const run = promisify(execFile);
/** Packages are found from here: `src` and `dist` are equally deep. */
const home = join(import.meta.dirname, "../../..");
const bundler = pathToFileURL(join(home, "../../tools/sizes/bundle-size.ts")).href;

/** The repository's own measure of sizes is read from its sources, which needs tsx. */
async function gzipBytes(code: string): Promise<number> {
  const program = `
    const { bundleSize } = await import(${JSON.stringify(bundler)});
    console.log((await bundleSize(${JSON.stringify(code)}, ${JSON.stringify(home)}, "edge")).gzip);`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", program];
  const { stdout } = await run(process.execPath, args, { cwd: join(home, "../..") });
  return Number(stdout);
}

const contender = (name: string, kind: string, code: string): Contender => ({
  name,
  kind,
  open: async () => ({
    measures: {
      [scenario]: async (): Promise<Slice> => ({
        operations: 1,
        wallMs: 0,
        cpuUs: 0,
        gzipBytes: await gzipBytes(code),
      }),
    },
  }),
});

/** What a Worker has to load. */
export const sizes: Suite = {
  name: "sizes",
  title: "Size in a Worker",
  about: "Bundled by esbuild as for a Worker, minified and gzipped, dependencies included.",
  servers: "none",
  value: gzipKilobytes,
  columns: [],
  scenarios: [scenario],
  isExact: true,
  contenders: [
    contender("UpstashCache", "ours", `export { UpstashCache } from "continuum-cache";`),
    contender(
      "Cache on restTransport: JSON, no fallback",
      "ours",
      `export { Cache } from "@continuum-cache/core"; export { restTransport } from "@continuum-cache/transport-rest";`,
    ),
    contender("@upstash/redis", "@upstash/redis", `export { Redis } from "@upstash/redis";`),
  ],
};
