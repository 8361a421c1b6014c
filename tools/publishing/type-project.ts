import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Manifest, publishablePackages, readManifest } from "./publishable-packages.ts";
import { attemptCommand, runCommand } from "./run-command.ts";
import { toolFolder } from "./tool-folder.ts";

/** A folder in which programs are checked against the declarations of the packages, as who installs them has it. */
export interface TypeProject {
  /**
   * Checks a program.
   *
   * @returns what the compiler complains of in the program and in declarations of ours, one complaint each.
   */
  complaints(program: string, setup: TypeSetup): Promise<readonly string[]>;
  close(): void;
}

export interface TypeSetup {
  /** Which compiler: the last that has `node10`, or the repository's own. */
  readonly typescript: "5.9" | "own";
  readonly lib: readonly string[];
  readonly types: readonly string[];
  readonly module: string;
  readonly moduleResolution: string;
}

/** What our declarations name, compilers, and what callers bring along. */
const installed = {
  "@cloudflare/workers-types": "^4.20260101.0",
  "@types/node": "^20.19.43",
  "@types/ws": "^8.18.1",
  "@upstash/redis": "^1.39.0",
  "fast-check": "^4.10.2",
  hono: "^4.13.19",
  ioredis: "^6.0.0",
  "ioredis-5": "npm:ioredis@^5.11.1",
  typescript: "5.9.3",
};

export async function openTypeProject(root: string): Promise<TypeProject> {
  const packages = publishablePackages(root);
  const env = { PATH: process.env["PATH"] ?? "" };
  const ownCompiler = join(root, "node_modules/.bin/tsc");
  await runCommand([ownCompiler, "-b", ...packages.map(({ folder }) => folder)], {
    cwd: root,
    env,
    timeoutMs: 300_000,
  });
  const tools = await toolFolder(root, "types", { type: "module", dependencies: installed });
  const folder = mkdtempSync(join(tools, "project-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  for (const { folder: source, manifest } of packages) {
    const target = join(folder, "node_modules", manifest.name);
    mkdirSync(target, { recursive: true });
    cpSync(join(root, source, "dist"), join(target, "dist"), { recursive: true });
    writeFileSync(join(target, "package.json"), JSON.stringify(asPublished(readManifest(join(root, source)))));
  }
  return {
    async complaints(program, { typescript, ...setup }) {
      writeFileSync(join(folder, "program.ts"), program);
      const compilerOptions = {
        ...setup,
        target: "ES2022",
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
      const compiler = typescript === "own" ? ownCompiler : join(tools, "node_modules/.bin/tsc");
      const { stdout, stderr } = await attemptCommand([compiler, "-p", folder], { cwd: folder, env });
      // A complaint may go on in lines that are indented.
      const all = `${stdout}${stderr}`
        .trim()
        .split(/\n(?=\S)/)
        .filter((complaint) => complaint !== "");
      // Declarations of others may need what ours don't.
      return all.filter((complaint) => !/^(\.\.\/)*node_modules\/(?!continuum-cache|@continuum-cache)/.test(complaint));
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

type Published = Manifest & { readonly publishConfig?: { readonly exports?: Manifest["exports"] } };

const asPublished = ({ publishConfig, ...manifest }: Published): object => ({
  ...manifest,
  exports: publishConfig?.exports ?? manifest.exports,
});
