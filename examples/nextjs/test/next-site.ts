import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { publishablePackages } from "../../../tools/publishing/publishable-packages.ts";
import { runCommand } from "../../../tools/publishing/run-command.ts";
import { pnpmFolder } from "../../../tools/publishing/stranger.ts";

const example = resolve(import.meta.dirname, "..");
const root = resolve(example, "../..");

/** The versions that a site installs. */
export interface NextVersion {
  readonly next: string;
  readonly react: string;
  readonly reactTypes: string;
  /** The file that holds the proxy, and the name that it exports. */
  readonly proxy: "proxy" | "middleware";
}

/** Packs `continuum-cache` and its dependencies, as npm would get them. @returns their files, by package name. */
export async function packPackages(folder: string): Promise<Readonly<Record<string, string>>> {
  const env = definedEnvironment();
  const settings = { cwd: root, env, timeoutMs: 600_000 };
  await runCommand([join(root, "node_modules/.bin/tsc"), "-b", "packages/continuum-cache"], settings);
  const pnpm = join(await pnpmFolder(root), "pnpm");
  const packages = ["--filter", "continuum-cache...", "--filter-prod", "continuum-cache..."];
  await runCommand([pnpm, ...packages, "pack", "--pack-destination", folder], settings);
  return Object.fromEntries(
    publishablePackages(root).flatMap(({ manifest: { name, version } }) => {
      const file = join(folder, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
      return existsSync(file) ? [[name, `file:${file}`]] : [];
    }),
  );
}

/** Creates a site of the example's files and those in `test/site`, and installs Next.js and the packed packages. */
export async function installSite(
  folder: string,
  { next, react, reactTypes, proxy }: NextVersion,
  packages: Readonly<Record<string, string>>,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const each of ["lib", "app", "proxy.ts", "test/site"]) {
    const target = each === "test/site" ? folder : join(folder, each);
    cpSync(join(example, each), target, { recursive: true });
  }
  if (proxy === "middleware") {
    const file = join(folder, "proxy.ts");
    writeFileSync(file, readFileSync(file, "utf8").replace("export const proxy ", "export const middleware "));
    renameSync(file, join(folder, "middleware.ts"));
  }
  const manifest = {
    private: true,
    dependencies: { ...packages, next, react, "react-dom": react },
    devDependencies: { "@types/node": "20.19.43", "@types/react": reactTypes, typescript: "5.9.3" },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await runCommand(install, { cwd: folder, env: definedEnvironment(), timeoutMs: 600_000 });
}

/** Runs `next build` with no variable of a database set. @throws Error with what it printed when it fails. */
export function buildSite(folder: string): Promise<string> {
  return runCommand([process.execPath, nextProgram(folder), "build"], {
    cwd: folder,
    env: siteEnvironment(folder),
    timeoutMs: 900_000,
  });
}

/** A site that `next start` serves. */
export interface RunningSite {
  readonly url: string;
  /** The output of the server so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Serves a built site on a free port of the loopback interface. */
export async function startSite(folder: string, variables: Readonly<Record<string, string>>): Promise<RunningSite> {
  const child = spawn(process.execPath, [nextProgram(folder), "start", "--port", "0", "--hostname", "127.0.0.1"], {
    cwd: folder,
    env: { ...siteEnvironment(folder), ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
        if (found !== undefined && output.includes("Ready")) resolve(found);
      });
    }
    child.once("exit", (code) => reject(new Error(`next start ended with ${code}:\n${output}`)));
  });
  return {
    url,
    output: () => output,
    async stop() {
      process.off("exit", kill);
      kill();
      await exited;
    },
  };
}

/** The files in which Next.js keeps answers to `fetch`. */
export function cachedFetches(folder: string): readonly string[] {
  const kept = join(folder, ".next/cache/fetch-cache");
  return existsSync(kept) ? readdirSync(kept).filter((name) => name !== "tags-manifest.json") : [];
}

const nextProgram = (folder: string): string => join(folder, "node_modules/next/dist/bin/next");

const siteEnvironment = (folder: string): NodeJS.ProcessEnv & Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: folder,
  CI: "true",
  NODE_ENV: "production",
  NEXT_TELEMETRY_DISABLED: "1",
});

/** This process's own environment: npm reads from it which registry to use. */
function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
