import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleWorker } from "./start-worker.ts";

const app = resolve(import.meta.dirname, "..");
const readme = readFileSync(join(app, "README.md"), "utf8");
/** The size in thousands of bytes, as a plan counts them. */
const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length / 1_000;
const stated = (what: string): number => Number(new RegExp(`${what} \\|\\s+([\\d.]+) kB`).exec(readme)?.[1]);

describe("the Worker's bundle", () => {
  let code: string;
  let inputs: readonly string[];
  let sizes: { readonly whole: number; readonly digest: number; readonly bare: number };

  beforeAll(async () => {
    const { outputFiles, metafile } = await bundleWorker();
    const [file] = outputFiles;
    code = file?.text ?? "";
    inputs = Object.keys(metafile.inputs);
    const bare = await build({
      stdin: {
        contents: `import { Redis } from "@upstash/redis/cloudflare";
          export default { fetch: async (_, env) => new Response(await Redis.fromEnv(env).get("key")) };`,
        resolveDir: resolve(app, "../../packages/transport-rest"),
      },
      bundle: true,
      format: "esm",
      minify: true,
      write: false,
      platform: "browser",
      conditions: ["workerd", "worker", "browser"],
    });
    sizes = {
      whole: gzipped(file?.contents ?? new Uint8Array()),
      digest: gzipped(readFileSync(join(app, "../program/dist/digest.txt"))),
      bare: gzipped(bare.outputFiles[0]?.contents ?? new Uint8Array()),
    };
  });

  it("has no Node built-in and no ioredis in it", () => {
    expect(code).not.toMatch(/["']node:|require\(["'](http|https|net|tls|buffer|crypto|fs)["']\)/);
    expect(inputs.filter((path) => /node_modules\/(ioredis|ws)\b|transport-tcp/.test(path))).toEqual([]);
  });

  it("is as large as the README says", () => {
    expect(Math.abs(sizes.whole / stated("this Worker") - 1), `whole: ${sizes.whole}`).toBeLessThan(0.05);
    expect(Math.abs(sizes.digest / stated("of that WordNet's digest") - 1), `digest: ${sizes.digest}`).toBeLessThan(
      0.05,
    );
    expect(Math.abs(sizes.bare / stated("a bare @upstash/redis Worker") - 1), `bare: ${sizes.bare}`).toBeLessThan(0.05);
  });
});

describe("wrangler", () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "wrangler-"));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it("accepts the configuration in a dry run", () => {
    const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin/wrangler.js");
    const told = execFileSync(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", join(home, "out")], {
      cwd: app,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        HOME: home,
        CI: "true",
        WRANGLER_SEND_METRICS: "false",
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
      },
    });
    expect(told).toContain("LIVE_SOCKETS");
    expect(told).toContain("--dry-run: exiting now");
  });
});
