import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** What a stranger writes who wants REST alone. */
const program = `
import { Cache, keys } from "@continuum-cache/core";
import { compressed } from "@continuum-cache/core/compressed";
import { msgpack } from "@continuum-cache/core/msgpack";
import { restTransport } from "@continuum-cache/transport-rest";

export default {
  async fetch(_request: Request, env: { readonly URL: string; readonly TOKEN: string }): Promise<Response> {
    const cache = new Cache({ transport: restTransport({ url: env.URL, token: env.TOKEN }), codec: compressed(msgpack()) });
    const visits: number = await cache.increment("visits");
    return new Response(\`\${visits} \${keys.query.of("text")}\`);
  },
};
`;

describe("core and transport-rest, installed from their tarballs in an empty project", () => {
  let project: string;
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "packed-"));
    for (const name of ["core", "transport-rest"]) {
      execFileSync("npx", ["--yes", "pnpm@12.21.0", "pack", "--pack-destination", project], {
        cwd: join(root, "packages", name),
        stdio: ["ignore", "ignore", "inherit"],
      });
    }
    const tarballs = readdirSync(project).filter((name) => name.endsWith(".tgz"));
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
    run("npm", "install", "--no-audit", "--no-fund", ...tarballs.map((name) => `./${name}`));
    writeFileSync(join(project, "worker.ts"), program);
  }, 120_000);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it("bring @upstash/redis and no other client, no ioredis, no lru-cache", () => {
    const installed = readdirSync(join(project, "node_modules"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .flatMap((entry) =>
        entry.name.startsWith("@")
          ? readdirSync(join(project, "node_modules", entry.name)).map((name) => `${entry.name}/${name}`)
          : entry.name,
      );
    expect(installed.sort()).toEqual([
      "@continuum-cache/core",
      "@continuum-cache/transport-rest",
      "@msgpack/msgpack",
      "@upstash/redis",
      "fflate",
      "uncrypto",
    ]);
  });

  it("type-check, with the library's own declarations checked too", () => {
    const options = [
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "false",
      "--target",
      "ES2022",
      "--lib",
      "ES2023,DOM,DOM.Iterable,ESNext.Disposable",
    ];
    const tsc = join(root, "node_modules/.bin/tsc");
    expect(run(tsc, ...options, "--module", "NodeNext", "--types", "", "worker.ts")).toBe("");
    expect(
      run(tsc, ...options, "--module", "ESNext", "--moduleResolution", "Bundler", "--types", "", "worker.ts"),
    ).toBe("");
  });

  it("bundle for a Worker without a Node built-in", async () => {
    const { metafile, outputFiles } = await build({
      absWorkingDir: project,
      entryPoints: ["worker.ts"],
      bundle: true,
      format: "esm",
      minify: true,
      write: false,
      metafile: true,
      platform: "browser",
      conditions: ["workerd", "worker", "browser"],
    });
    expect(Object.keys(metafile.inputs).filter((file) => /node-http/.test(file))).toEqual([]);
    expect(outputFiles[0]?.text).not.toMatch(/["']node:|require\(["'](http|https|net|tls|buffer|crypto)["']\)/);
  });

  it("publish no path into the sources that would need this repository", () => {
    const manifest = readFileSync(join(project, "node_modules/@continuum-cache/transport-rest/package.json"), "utf8");
    const { exports, dependencies } = JSON.parse(manifest);
    expect(JSON.stringify(exports)).not.toContain("@continuum-cache/source");
    expect(JSON.stringify(dependencies)).not.toContain("workspace:");
  });
});
